//! A tenant's export: who may have it, and what stands in it.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase, eventually, rows};

tests::on_both_databases!(
    an_owner_exports_everything_but_secrets,
    an_operator_exports_only_when_let_in_as_admin,
    exports_that_are_too_many_at_once_are_told_to_come_again,
);

/// A file of the archive, line by line.
fn read(archive: &[u8], name: &str) -> Result<Vec<Value>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
    let mut text = String::new();
    archive.by_name(name)?.read_to_string(&mut text)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

async fn an_owner_exports_everything_but_secrets(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let other = Customer::create(&app.client, "Other").await?;
    let device = customer.device().await?;
    rows::conversation(&app.database, &customer.id, &device, 1_501).await?;
    let token = "mutation { createApiToken(input: { name: \"CRM\", scopes: [READ] }) { secret userErrors { code } } }";
    let token = customer.owner.mutate(token, json!({}), "createApiToken").await?;

    let (status, archive) = customer.owner.get("/exports/tenant.zip").await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&archive));
    let messages = read(&archive, "message.ndjson")?;
    ensure!(messages.len() == 1_501, "{} messages", messages.len());
    let first = messages
        .iter()
        .find(|row| row["whatsapp_id"] == "FIRST")
        .context("no first message")?;
    ensure!(
        first["body"] == "Good morning, \"all\"\nof you" && first["device_id"] == device && first["direction"] == "in",
        "{first}"
    );
    ensure!(first["created_at"].is_string() && first["priority"] == 10, "{first}");
    let mut ids: Vec<&str> = messages.iter().filter_map(|row| row["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(
        ids.len() == 1_501 && ids.iter().all(|id| id.starts_with("msg_")),
        "a message is there twice"
    );
    ensure!(read(&archive, "tenant.ndjson")?[0]["id"] == customer.id);
    ensure!(read(&archive, "people.ndjson")?[0]["email"] == customer.login.0);
    ensure!(read(&archive, "device.ndjson")?.len() == 1);
    let log = read(&archive, "audit_entry.ndjson")?;
    ensure!(log.iter().any(|entry| entry["action"] == "tenant_exported"), "{log:?}");
    let mut manifest = String::new();
    let mut whole = zip::ZipArchive::new(Cursor::new(&archive))?;
    whole.by_name("manifest.json")?.read_to_string(&mut manifest)?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    ensure!(manifest["rows"]["message"] == 1_501, "{manifest}");

    let mut everything = String::new();
    for index in 0..whole.len() {
        whole.by_index(index)?.read_to_string(&mut everything)?;
    }
    let secret = token["secret"].as_str().context("no secret")?;
    for forbidden in [secret, "secret_hash", "password_hash", "token_hash", other.id.as_str()] {
        ensure!(!everything.contains(forbidden), "{forbidden} is in the export");
    }
    Ok(())
}

async fn status(client: &Client) -> Result<u16> {
    Ok(client.get("/exports/tenant.zip").await?.0)
}

async fn an_operator_exports_only_when_let_in_as_admin(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    ensure!(status(&app.client.anonymous()).await? == 401);
    let invite =
        "mutation { inviteMember(input: { email: \"admin@warung.test\", role: ADMIN }) { link userErrors { code } } }";
    let link = customer.owner.mutate(invite, json!({}), "inviteMember").await?["link"].clone();
    let token = link
        .as_str()
        .and_then(|link| link.split('#').nth(1))
        .context("no link")?;
    let accept = "mutation($token: String!) { acceptInvitation(input: { token: $token, name: \"A\", password: \"rusty bicycle over the harbour\" }) {
        session { accessToken } userErrors { code } } }";
    let accepted = app
        .client
        .anonymous()
        .mutate(accept, json!({ "token": token }), "acceptInvitation")
        .await?;
    let admin = app
        .client
        .with_token(accepted["session"]["accessToken"].as_str().context("no session")?);
    ensure!(status(&admin).await? == 403, "an admin is no owner");

    let mut refresh = app.session["refreshToken"].clone();
    for (role, wanted) in [("AGENT", 403), ("ADMIN", 200)] {
        let grant = "mutation($id: ID!, $role: Role!) { grantTenantAccess(input: { tenantId: $id, reason: \"Ticket\", role: $role }) {
            accessGrant { id } userErrors { code } } }";
        let made = app
            .client
            .mutate(grant, json!({ "id": customer.id, "role": role }), "grantTenantAccess")
            .await?;
        let enter = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken refreshToken userErrors { code } } }";
        let input = json!({ "input": { "refreshToken": refresh, "tenantId": customer.id } });
        let entered = app.client.anonymous().mutate(enter, input, "refreshSession").await?;
        refresh = entered["refreshToken"].clone();
        let inside = app
            .client
            .with_token(entered["accessToken"].as_str().context("no token")?);
        ensure!(status(&inside).await? == wanted, "{role}");
        let revoke = "mutation($id: ID!) { revokeTenantAccess(id: $id) { userErrors { code } } }";
        app.client
            .mutate(revoke, json!({ "id": made["accessGrant"]["id"] }), "revokeTenantAccess")
            .await?;
        ensure!(status(&inside).await? == 401, "{role}");
    }
    let log = "{ auditLog(where: { action: [TENANT_EXPORTED] }) { nodes { actor { kind } } } }";
    let log = customer.owner.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    ensure!(log == json!([{ "actor": { "kind": "OPERATOR" } }]), "{log}");
    Ok(())
}

const LOG: &str = "/exports/audit-log.csv";

/// The status and the seconds after which to come again.
async fn told(client: &Client, path: &str) -> Result<(u16, Option<u64>)> {
    let response = client.open(path).await?;
    let seconds = response.headers().get("retry-after");
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    Ok((response.status().as_u16(), seconds))
}

async fn exports_that_are_too_many_at_once_are_told_to_come_again(database: TestDatabase) -> Result<()> {
    let limits = [("exports.at_once", "3"), ("exports.at_once_per_tenant", "2")];
    let app = TestApp::with(database, &limits).await?;
    let (one, other) = (
        Customer::create(&app.client, "Warung").await?,
        Customer::create(&app.client, "Other").await?,
    );
    for customer in [&one, &other] {
        rows::long_log(&app.database, &customer.id, 6_000).await?;
    }
    // Many at the same moment, none of them read: so many run as may, and nobody waits.
    let asked = futures::future::try_join_all((0..6).map(|_| one.owner.open(LOG))).await?;
    let running = asked.iter().filter(|response| response.status() == 200).count();
    let refused = asked.iter().filter(|response| response.status() == 429).count();
    ensure!(running == 2 && refused == 4, "{running} run, {refused} were refused");
    for path in [LOG, "/exports/tenant.zip"] {
        let (status, seconds) = told(&one.owner, path).await?;
        ensure!(
            status == 429 && seconds.is_some_and(|seconds| seconds > 0),
            "{path}: {status}"
        );
    }
    // Others are not in the way of this tenant, until the server has enough.
    let held = other.owner.open(LOG).await?;
    ensure!(held.status() == 200, "{}", held.status());
    let (status, seconds) = told(&other.owner, LOG).await?;
    ensure!(status == 503 && seconds.is_some_and(|seconds| seconds > 0), "{status}");
    let (status, _) = told(&app.client, "/exports/platform/audit-log.csv").await?;
    ensure!(status == 503, "operators wait, too: {status}");
    // Who is not allowed is told so, whether there is a place or not.
    ensure!(told(&app.client.anonymous(), LOG).await?.0 == 401);
    // What was refused stands in no log.
    let log = "{ auditLog(where: { action: [AUDIT_LOG_EXPORTED, TENANT_EXPORTED] }) { nodes { action } } }";
    let log = one.owner.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    ensure!(log.as_array().map(Vec::len) == Some(2), "{log}");

    // A client that goes gives its place back; one that reads to the end gets everything.
    drop(asked);
    eventually("there is a place again", || async {
        Ok((told(&one.owner, LOG).await?.0 == 200).then_some(()))
    })
    .await?;
    let whole = held.bytes().await?;
    ensure!(whole.len() > 20_000_000, "{} bytes", whole.len());
    Ok(())
}
