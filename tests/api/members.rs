//! People come in by invitation, and a tenant always has an owner.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, EMAIL, PASSWORD, TestApp, TestDatabase, second_tenant};

tests::on_both_databases!(
    an_invitation_brings_a_newcomer_in_once,
    somebody_with_an_account_accepts_when_logged_in,
    the_last_owner_stays,
    two_owners_who_remove_each_other_leave_one,
    admins_do_not_touch_owners,
    invitations_end_are_renewed_and_taken_back,
    members_of_other_tenants_are_out_of_reach,
    no_more_come_in_than_the_tenant_may_have,
    a_member_who_leaves_makes_room,
);

const INVITE: &str = "mutation($input: InviteMemberInput!) { inviteMember(input: $input) {
    link invitation { id role } userErrors { code } } }";
const OFFER: &str = "query($token: String!) { invitation(token: $token) { tenantName email role hasAccount } }";
const ACCEPT: &str = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
    tenant { id } session { accessToken refreshToken viewer { role } } userErrors { code field } } }";
const MEMBERS: &str = "{ members { totalCount nodes { id role user { email } } } invitations { totalCount } }";
const UPDATE: &str =
    "mutation($input: UpdateMemberInput!) { updateMember(input: $input) { member { role } userErrors { code } } }";
const REMOVE: &str = "mutation($id: ID!) { removeMember(id: $id) { deletedId userErrors { code } } }";
const STRONG: &str = "rusty bicycle over the harbour";

/// Invites; answers the invitation's id and the secret of its link.
async fn invite(client: &Client, email: &str, role: &str) -> Result<(Value, String)> {
    let input = json!({ "input": { "email": email, "role": role } });
    let invited = client.mutate(INVITE, input, "inviteMember").await?;
    Ok((invited["invitation"]["id"].clone(), secret_of(&invited)?))
}

fn secret_of(payload: &Value) -> Result<String> {
    let link = payload["link"].as_str().context("no link")?;
    let secret = link.strip_prefix("/invitation#").with_context(|| link.to_owned())?;
    Ok(secret.to_owned())
}

/// Brings a new person into the tenant, logged in.
async fn newcomer(app: &TestApp, email: &str, role: &str) -> Result<Client> {
    let (_, token) = invite(&app.client, email, role).await?;
    let input = json!({ "input": { "token": token, "name": "Newcomer", "password": STRONG } });
    let accepted = app.client.anonymous().mutate(ACCEPT, input, "acceptInvitation").await?;
    let token = accepted["session"]["accessToken"].as_str().context("no session")?;
    Ok(app.client.with_token(token))
}

async fn member_id(client: &Client, email: &str) -> Result<Value> {
    let members = client
        .query("{ members { nodes { id user { email } } } }", json!({}))
        .await?;
    let nodes = members["members"]["nodes"].as_array().cloned().context("no members")?;
    let found = nodes.into_iter().find(|node| node["user"]["email"] == email);
    Ok(found.with_context(|| format!("{email} is no member"))?["id"].clone())
}

async fn an_invitation_brings_a_newcomer_in_once(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (_, token) = invite(&app.client, " Agent@Kabar.test ", "AGENT").await?;
    let again = json!({ "input": { "email": "agent@kabar.test", "role": "ADMIN" } });
    ensure!(app.client.refused(INVITE, again, "inviteMember").await? == "ALREADY_EXISTS");
    let anonymous = app.client.anonymous();
    let offer = anonymous.query(OFFER, json!({ "token": token })).await?["invitation"].clone();
    ensure!(
        offer["email"] == "agent@kabar.test" && offer["role"] == "AGENT" && offer["hasAccount"] == false,
        "{offer}"
    );
    let weak = json!({ "input": { "token": token, "name": "Agent", "password": "password1234" } });
    ensure!(anonymous.refused(ACCEPT, weak, "acceptInvitation").await? == "INVALID_INPUT");

    // Two clicks at the same moment: one comes in.
    let input = json!({ "input": { "token": token, "name": "Agent", "password": STRONG } });
    let (one, other) = tokio::join!(
        anonymous.query(ACCEPT, input.clone()),
        anonymous.query(ACCEPT, input.clone())
    );
    let accepted: Vec<Value> = [one?, other?]
        .into_iter()
        .map(|data| data["acceptInvitation"].clone())
        .filter(|payload| !payload["tenant"].is_null())
        .collect();
    ensure!(accepted.len() == 1, "{accepted:?}");
    ensure!(accepted[0]["session"]["viewer"]["role"] == "AGENT", "{accepted:?}");
    ensure!(anonymous.refused(ACCEPT, input, "acceptInvitation").await? == "NOT_FOUND");
    ensure!(anonymous.query(OFFER, json!({ "token": token })).await?["invitation"].is_null());

    let members = app.client.query(MEMBERS, json!({})).await?;
    ensure!(
        members["members"]["totalCount"] == 2 && members["invitations"]["totalCount"] == 0,
        "{members}"
    );
    let (agent, _) = app.client.login("agent@kabar.test", STRONG).await?;
    let response = agent.send("{ invitations { totalCount } }", json!({})).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    let input = json!({ "input": { "email": "agent@kabar.test", "role": "AGENT" } });
    ensure!(app.client.refused(INVITE, input, "inviteMember").await? == "ALREADY_EXISTS");
    Ok(())
}

async fn somebody_with_an_account_accepts_when_logged_in(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (_, token) = invite(&app.client, "stranger@kabar.test", "ANALYST").await?;
    let input = json!({ "input": { "token": token, "name": "x", "password": STRONG } });
    // Whoever holds the link can neither set a password of the account nor accept for it.
    for client in [app.client.anonymous(), app.client.clone()] {
        ensure!(client.refused(ACCEPT, input.clone(), "acceptInvitation").await? == "FORBIDDEN");
    }
    let (stranger, session) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let accepted = stranger
        .mutate(ACCEPT, json!({ "input": { "token": token } }), "acceptInvitation")
        .await?;
    ensure!(accepted["session"].is_null(), "{accepted}");
    let switch = "mutation($input: RefreshSessionInput) { refreshSession(input: $input) {
        accessToken viewer { tenant { id } role memberships { role } } userErrors { code } } }";
    let input = json!({ "input": { "refreshToken": session["refreshToken"], "tenantId": accepted["tenant"]["id"] } });
    let switched = stranger.mutate(switch, input, "refreshSession").await?;
    ensure!(
        switched["viewer"]["tenant"]["id"] == accepted["tenant"]["id"],
        "{switched}"
    );
    ensure!(switched["viewer"]["role"] == "ANALYST", "{switched}");
    ensure!(
        switched["viewer"]["memberships"].as_array().map(Vec::len) == Some(2),
        "{switched}"
    );
    Ok(())
}

async fn the_last_owner_stays(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let id = member_id(&app.client, EMAIL).await?;
    let demote = json!({ "input": { "id": id, "role": "ADMIN" } });
    ensure!(app.client.refused(UPDATE, demote.clone(), "updateMember").await? == "CONFLICT");
    ensure!(app.client.refused(REMOVE, json!({ "id": id }), "removeMember").await? == "CONFLICT");

    let second = newcomer(&app, "second@kabar.test", "OWNER").await?;
    second.mutate(UPDATE, demote, "updateMember").await?;
    let response = app.client.send("{ apiTokens { totalCount } }", json!({})).await?;
    ensure!(response.errors.is_empty(), "still an admin: {response:?}");
    // Leaving needs no right, and is over at once.
    app.client.mutate(REMOVE, json!({ "id": id }), "removeMember").await?;
    let response = app.client.send("{ devices { totalCount } }", json!({})).await?;
    ensure!(response.code() == Some("UNAUTHENTICATED"), "{response:?}");
    Ok(())
}

async fn two_owners_who_remove_each_other_leave_one(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let second = newcomer(&app, "second@kabar.test", "OWNER").await?;
    let (first_id, second_id) = (
        member_id(&app.client, EMAIL).await?,
        member_id(&app.client, "second@kabar.test").await?,
    );
    let (one, other) = tokio::join!(
        app.client.send(REMOVE, json!({ "id": second_id })),
        second.send(REMOVE, json!({ "id": first_id })),
    );
    let done = [one?, other?]
        .iter()
        .filter(|response| !response.data["removeMember"]["deletedId"].is_null())
        .count();
    ensure!(done == 1, "{done} removals succeeded");
    Ok(())
}

async fn admins_do_not_touch_owners(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let admin = newcomer(&app, "admin@kabar.test", "ADMIN").await?;
    let owner = member_id(&app.client, EMAIL).await?;
    let myself = member_id(&app.client, "admin@kabar.test").await?;
    for (document, variables) in [
        (UPDATE, json!({ "input": { "id": owner, "role": "AGENT" } })),
        (UPDATE, json!({ "input": { "id": myself, "role": "OWNER" } })),
        (REMOVE, json!({ "id": owner })),
        (INVITE, json!({ "input": { "email": "x@kabar.test", "role": "OWNER" } })),
    ] {
        let response = admin.send(document, variables.clone()).await?;
        ensure!(response.code() == Some("FORBIDDEN"), "{variables}: {response:?}");
    }
    let agent = newcomer(&app, "agent@kabar.test", "AGENT").await?;
    let response = agent.send(REMOVE, json!({ "id": myself })).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    let id = member_id(&app.client, "agent@kabar.test").await?;
    let analyst = json!({ "input": { "id": id, "role": "ANALYST" } });
    admin.mutate(UPDATE, analyst, "updateMember").await?;
    let log = "{ auditLog(first: 1) { nodes { action objectName before after } } }";
    let log = admin.query(log, json!({})).await?["auditLog"]["nodes"][0].clone();
    let wanted = json!({ "action": "MEMBER_UPDATED", "objectName": "agent@kabar.test",
        "before": { "role": "AGENT" }, "after": { "role": "ANALYST" } });
    ensure!(log == wanted, "{log}");
    Ok(())
}

async fn invitations_end_are_renewed_and_taken_back(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (id, old) = invite(&app.client, "agent@kabar.test", "AGENT").await?;
    let resend = "mutation($id: ID!) { resendInvitation(id: $id) { link userErrors { code } } }";
    let renewed = app
        .client
        .mutate(resend, json!({ "id": id }), "resendInvitation")
        .await?;
    let new = secret_of(&renewed)?;
    let anonymous = app.client.anonymous();
    let offer = |token: String| {
        let anonymous = anonymous.clone();
        async move { anonymous.query(OFFER, json!({ "token": token })).await }
    };
    ensure!(offer(old).await?["invitation"].is_null());
    ensure!(offer(new.clone()).await?["invitation"]["role"] == "AGENT");
    app.clock.advance(chrono::TimeDelta::days(8));
    ensure!(offer(new).await?["invitation"].is_null(), "it ends after seven days");

    let (client, _) = app.client.login(EMAIL, PASSWORD).await?;
    let (id, token) = invite(&client, "agent@kabar.test", "AGENT").await?;
    let revoke = "mutation($id: ID!) { revokeInvitation(id: $id) { deletedId userErrors { code } } }";
    client.mutate(revoke, json!({ "id": id }), "revokeInvitation").await?;
    ensure!(offer(token).await?["invitation"].is_null());
    ensure!(client.refused(revoke, json!({ "id": id }), "revokeInvitation").await? == "NOT_FOUND");
    for garbage in ["", "x", "ä"] {
        ensure!(offer(garbage.to_owned()).await?["invitation"].is_null());
    }
    Ok(())
}

async fn members_of_other_tenants_are_out_of_reach(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let owner = member_id(&app.client, EMAIL).await?;
    let (invitation, _) = invite(&app.client, "agent@kabar.test", "AGENT").await?;
    let demote = json!({ "input": { "id": owner, "role": "AGENT" } });
    ensure!(stranger.refused(UPDATE, demote, "updateMember").await? == "NOT_FOUND");
    ensure!(stranger.refused(REMOVE, json!({ "id": owner }), "removeMember").await? == "NOT_FOUND");
    for mutation in ["resendInvitation", "revokeInvitation"] {
        let document = format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ userErrors {{ code }} }} }}");
        let code = stranger
            .refused(&document, json!({ "id": invitation }), mutation)
            .await?;
        ensure!(code == "NOT_FOUND", "{mutation}: {code}");
    }
    for id in [&owner, &invitation] {
        let node = stranger
            .query("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id }))
            .await?;
        ensure!(node["node"].is_null(), "{node}");
    }
    let seen = stranger.query(MEMBERS, json!({})).await?;
    ensure!(
        seen["members"]["totalCount"] == 1 && seen["invitations"]["totalCount"] == 0,
        "{seen}"
    );
    Ok(())
}

/// Lets the tenant have this many members.
async fn limit_members(app: &TestApp, limit: i64) -> Result<()> {
    let tenant = app.client.query("{ tenant { id } }", json!({})).await?["tenant"]["id"].clone();
    let document = "mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { userErrors { code } } }";
    let limits = json!([{ "meter": "MEMBERS", "limit": limit }]);
    let input = json!({ "input": { "id": tenant, "limitOverrides": limits } });
    app.client.mutate(document, input, "updateTenant").await?;
    Ok(())
}

async fn used_places(client: &Client) -> Result<Value> {
    let data = client.query("{ tenant { limits { meter used } } }", json!({})).await?;
    let limits = data["tenant"]["limits"].as_array().cloned().context("no limits")?;
    let found = limits.into_iter().find(|limit| limit["meter"] == "MEMBERS");
    Ok(found.context("the meter is missing")?["used"].clone())
}

async fn no_more_come_in_than_the_tenant_may_have(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let mut links = Vec::new();
    for number in 0..8 {
        links.push(
            invite(&app.client, &format!("agent{number}@kabar.test"), "AGENT")
                .await?
                .1,
        );
    }
    limit_members(&app, 4).await?;
    let accepts = links.iter().map(|token| {
        let client = app.client.anonymous();
        let input = json!({ "input": { "token": token, "name": "Agent", "password": STRONG } });
        let document = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
            tenant { id } userErrors { code details } } }";
        async move { client.query(document, input).await }
    });
    let answers = futures::future::try_join_all(accepts).await?;
    let (came, refused): (Vec<&Value>, Vec<&Value>) = answers
        .iter()
        .map(|data| &data["acceptInvitation"])
        .partition(|payload| !payload["tenant"].is_null());
    ensure!(came.len() == 3, "{} came in beside the owner", came.len());
    for payload in refused {
        let error = &payload["userErrors"][0];
        ensure!(error["code"] == "QUOTA_EXCEEDED", "{error}");
        ensure!(
            error["details"] == json!({ "meter": "MEMBERS", "holder": "TENANT", "limit": 4, "used": 4 }),
            "{error}"
        );
    }
    let members = app.client.query(MEMBERS, json!({})).await?;
    ensure!(members["members"]["totalCount"] == 4, "{members}");
    ensure!(
        members["invitations"]["totalCount"] == 5,
        "a link that was refused stays good: {members}"
    );
    let warned =
        "{ events(types: [QUOTA_WARNING], first: 10) { nodes { ... on QuotaWarningEvent { meter percent } } } }";
    let warned = app.client.query(warned, json!({})).await?["events"]["nodes"].clone();
    ensure!(warned.to_string().contains("\"MEMBERS\""), "{warned}");
    Ok(())
}

async fn a_member_who_leaves_makes_room(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (_, waiting) = invite(&app.client, "second@kabar.test", "AGENT").await?;
    newcomer(&app, "first@kabar.test", "AGENT").await?;
    limit_members(&app, 2).await?;
    let full = json!({ "input": { "email": "third@kabar.test", "role": "AGENT" } });
    ensure!(app.client.refused(INVITE, full, "inviteMember").await? == "QUOTA_EXCEEDED");
    let accept = json!({ "input": { "token": waiting, "name": "Second", "password": STRONG } });
    let anonymous = app.client.anonymous();
    ensure!(anonymous.refused(ACCEPT, accept.clone(), "acceptInvitation").await? == "QUOTA_EXCEEDED");
    ensure!(used_places(&app.client).await? == 2);
    let id = member_id(&app.client, "first@kabar.test").await?;
    app.client.mutate(REMOVE, json!({ "id": id }), "removeMember").await?;
    ensure!(used_places(&app.client).await? == 1);
    anonymous.mutate(ACCEPT, accept, "acceptInvitation").await?;
    ensure!(used_places(&app.client).await? == 2);
    Ok(())
}
