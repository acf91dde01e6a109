//! Two servers on one database: what ends on one has ended on the other within a second, for requests and for websockets.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tests::{
    Client, Customer, EMAIL, Kabar, Kind, PASSWORD, Stage, StageOptions, Subscription, TestDatabase, eventually, run_on,
};

/// What the product promises is a second; a machine that is busy with other tests may take its time.
const PROMISE: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_secs(2);

const FEED: &str = "subscription { events { type } }";
const CREATE_DEVICE: &str = "mutation { createDevice(input: { name: \"D\" }) { device { id } userErrors { code } } }";

/// Two nodes, and a tenant with its owner on the first.
struct Pair {
    stage: Stage,
    second: Kabar,
    customer: Customer,
    _data: tempfile::TempDir,
}

impl Pair {
    async fn start() -> Result<Self> {
        let secret = "9F3kq0vX7mB2tR8wYzL5cN1pD6hJ4sGa".to_owned();
        let options = StageOptions {
            environment: vec![("KABAR_SECRET_KEY", secret)],
            ..StageOptions::default()
        };
        let stage = Stage::with(TestDatabase::new(Kind::Postgres).await?, options).await?;
        let data = tempfile::tempdir()?;
        let second = stage.kabar.beside(data.path()).await?;
        let customer = Customer::create(&stage.client, "Warung").await?;
        Ok(Self {
            stage,
            second,
            customer,
            _data: data,
        })
    }

    /// The same caller at the other node.
    fn there(&self, client: &Client) -> Result<Client> {
        let token = client.token().context("nobody is logged in")?;
        Ok(Client::new(self.second.base()).with_token(token))
    }
}

/// Somebody at the other node, who asks often enough for the node to believe what it heard last, and listens.
struct Visitor {
    client: Client,
    feed: Subscription,
}

impl Visitor {
    async fn at(pair: &Pair, client: &Client) -> Result<Self> {
        let client = pair.there(client)?;
        let feed = client.subscribe(FEED, json!({})).await?;
        ensure!(!is_out(&client).await?, "the other node does not let them in");
        Ok(Self { client, feed })
    }

    /// Waits until the caller is out and the websocket closed, which must not take longer than promised.
    async fn leaves(mut self, what: &str) -> Result<()> {
        let began = Instant::now();
        let asking = async {
            eventually(what, || async { Ok(is_out(&self.client).await?.then_some(())) }).await?;
            anyhow::Ok(began.elapsed())
        };
        let listening = async {
            while self.feed.next().await.is_ok() {}
            anyhow::Ok(began.elapsed())
        };
        let (asked, heard) = tokio::try_join!(asking, listening)?;
        println!("{what}: requests after {asked:?}, the websocket after {heard:?}");
        if asked.max(heard) > PROMISE + BUSY {
            bail!("{what}: requests after {asked:?}, the websocket after {heard:?}");
        }
        Ok(())
    }
}

async fn is_out(client: &Client) -> Result<bool> {
    let response = client.send("{ viewer { tenant { id } } }", json!({})).await?;
    match response.code() {
        None => Ok(false),
        Some("UNAUTHENTICATED") => Ok(true),
        Some(_) => bail!("{response:?}"),
    }
}

#[test]
fn a_revoked_api_token_is_out_on_the_other_node() -> Result<()> {
    on_a_pair(async |pair| {
        let create = "mutation { createApiToken(input: { name: \"CRM\", scopes: [READ] }) {
            secret apiToken { id } userErrors { code } } }";
        let owner = &pair.customer.owner;
        let made = owner.mutate(create, json!({}), "createApiToken").await?;
        let program = owner.with_token(made["secret"].as_str().context("no secret")?);
        let visitor = Visitor::at(pair, &program).await?;
        let revoke = "mutation($id: ID!) { revokeApiToken(id: $id) { userErrors { code } } }";
        let id = json!({ "id": made["apiToken"]["id"] });
        owner.mutate(revoke, id, "revokeApiToken").await?;
        visitor.leaves("the token is revoked").await
    })
}

#[test]
fn an_ended_session_is_out_on_the_other_node() -> Result<()> {
    on_a_pair(async |pair| {
        let (email, password) = &pair.customer.login;
        let (laptop, _) = pair.customer.owner.login(email, password).await?;
        let sessions = laptop.query("{ sessions { id current } }", json!({})).await?;
        let sessions = sessions["sessions"].as_array().cloned().unwrap_or_default();
        let current = sessions.iter().find(|session| session["current"] == true);
        let id = json!({ "id": current.context("no session")?["id"] });
        let visitor = Visitor::at(pair, &laptop).await?;
        let other = Visitor::at(pair, &pair.customer.owner).await?;
        let end = "mutation($id: ID!) { endSession(id: $id) { endedId userErrors { code } } }";
        pair.customer.owner.mutate(end, id, "endSession").await?;
        visitor.leaves("the session has ended").await?;
        ensure!(!is_out(&other.client).await?, "the other session goes on");
        let leave = "mutation { logout(everywhere: true) { success userErrors { code } } }";
        pair.customer.owner.mutate(leave, json!({}), "logout").await?;
        other.leaves("every session has ended").await
    })
}

#[test]
fn a_revoked_access_grant_is_out_on_the_other_node() -> Result<()> {
    on_a_pair(async |pair| {
        let grant =
            "mutation($id: ID!) { grantTenantAccess(input: { tenantId: $id, reason: \"Ticket 7\", role: ANALYST }) {
            accessGrant { id } userErrors { code } } }";
        let operator = &pair.stage.client;
        let made = operator
            .mutate(grant, json!({ "id": pair.customer.id }), "grantTenantAccess")
            .await?;
        let (client, session) = operator.login(EMAIL, PASSWORD).await?;
        let enter = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken userErrors { code } } }";
        let input = json!({ "input": { "refreshToken": session["refreshToken"], "tenantId": pair.customer.id } });
        let entered = client.mutate(enter, input, "refreshSession").await?;
        let inside = client.with_token(entered["accessToken"].as_str().context("no token")?);
        let visitor = Visitor::at(pair, &inside).await?;
        let revoke = "mutation($id: ID!) { revokeTenantAccess(id: $id) { userErrors { code } } }";
        let id = json!({ "id": made["accessGrant"]["id"] });
        operator.mutate(revoke, id, "revokeTenantAccess").await?;
        visitor.leaves("the access is revoked").await
    })
}

#[test]
fn a_deleted_tenant_is_out_on_the_other_node() -> Result<()> {
    on_a_pair(async |pair| {
        let visitor = Visitor::at(pair, &pair.customer.owner).await?;
        let delete = "mutation($id: ID!, $confirm: String!) { deleteTenant(input: { id: $id, confirm: $confirm }) {
            tenant { status } userErrors { code } } }";
        let input = json!({ "id": pair.customer.id, "confirm": pair.customer.slug });
        pair.stage.client.mutate(delete, input, "deleteTenant").await?;
        visitor.leaves("the tenant is deleted").await
    })
}

#[test]
fn a_suspended_tenant_only_reads_on_the_other_node_and_acts_again_when_it_may() -> Result<()> {
    on_a_pair(async |pair| {
        let Visitor { client, mut feed } = Visitor::at(pair, &pair.customer.owner).await?;
        let acts = async |client: &Client| -> Result<bool> {
            let response = client.send(CREATE_DEVICE, json!({})).await?;
            match response.code() {
                None => Ok(true),
                Some("TENANT_SUSPENDED") => Ok(false),
                Some(_) => bail!("{response:?}"),
            }
        };
        ensure!(acts(&client).await?);
        let suspend = "mutation($id: ID!) { suspendTenant(input: { id: $id }) { userErrors { code } } }";
        let activate = "mutation($id: ID!) { activateTenant(id: $id) { userErrors { code } } }";
        for (document, field, wanted) in [(suspend, "suspendTenant", false), (activate, "activateTenant", true)] {
            let id: Value = json!({ "id": pair.customer.id });
            pair.stage.client.mutate(document, id, field).await?;
            let began = Instant::now();
            eventually("it is known there", || async {
                Ok((acts(&client).await? == wanted).then_some(()))
            })
            .await?;
            println!("{field}: after {:?}", began.elapsed());
            ensure!(began.elapsed() < PROMISE + BUSY, "{field}: {:?}", began.elapsed());
            ensure!(!is_out(&client).await?, "reading goes on");
        }
        // The websocket was not closed: what was made there before and after is heard.
        feed.until("the devices are told of", |value| {
            (value["events"]["type"] == "DEVICE_STATUS").then_some(())
        })
        .await
    })
}

fn on_a_pair(body: impl AsyncFnOnce(&Pair) -> Result<()>) -> Result<()> {
    run_on(Kind::Postgres, async |unused| {
        drop(unused);
        let pair = Pair::start().await?;
        body(&pair).await
    })
}
