//! Limits that an API token has of its own, within its tenant's.

use anyhow::{Context, Result, ensure};
use entity::device;
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::{Value, json};
use tests::{Client, TestApp, TestDatabase, connect, text_input};

tests::on_both_databases!(
    a_token_sends_exactly_what_it_may_however_many_ask_at_once,
    whichever_has_less_room_refuses,
    limits_of_tokens_are_checked_and_changed,
);

const CREATE: &str = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    secret apiToken { id limits { meter limit } } userErrors { code field } } }";

/// A client with a token that may send so much a day, and the token.
async fn token(app: &TestApp, a_day: i64) -> Result<(Client, Value)> {
    let limits = json!([{ "meter": "MESSAGES_PER_DAY", "limit": a_day }]);
    let input = json!({ "input": { "name": "Shop", "scopes": ["SEND", "READ"], "limits": limits } });
    let made = app.client.mutate(CREATE, input, "createApiToken").await?;
    ensure!(made["apiToken"]["limits"] == limits, "{made}");
    let secret = made["secret"].as_str().context("no secret")?;
    Ok((app.client.with_token(secret), made["apiToken"].clone()))
}

/// A device that counts as linked: what it is given to send stays queued.
async fn device(app: &TestApp) -> Result<String> {
    let create = "mutation { createDevice(input: { name: \"D\" }) { device { id } userErrors { code } } }";
    let made = app.client.mutate(create, json!({}), "createDevice").await?;
    let connection = connect(&app.database.url()).await?;
    device::Entity::update_many()
        .col_expr(device::Column::Linked, Expr::value(true))
        .col_expr(device::Column::Jid, Expr::value("6281200000001@s.whatsapp.net"))
        .exec(&connection)
        .await?;
    connection.close().await?;
    Ok(made["device"]["id"].as_str().context("no device")?.to_owned())
}

async fn send(client: &Client, device: &str) -> Result<Value> {
    let document = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
        message { id } userErrors { code message retryAt details } } }";
    let input = json!({ "input": text_input(device, "+6281200000002", "hello") });
    Ok(client.query(document, input).await?["sendMessage"].clone())
}

/// `(limit, used)` of the messages of a day, of the tenant and of the token.
async fn used(client: &Client) -> Result<Vec<Value>> {
    let data = client
        .query("{ viewer { limits { meter holder limit used } } }", json!({}))
        .await?;
    let limits = data["viewer"]["limits"].as_array().context("no limits")?.clone();
    let of_day = |limit: &Value| limit["meter"] == "MESSAGES_PER_DAY";
    Ok(limits.into_iter().filter(of_day).collect())
}

async fn limit_tenant(app: &TestApp, a_day: i64) -> Result<()> {
    let own = app.client.query("{ tenant { id } }", json!({})).await?;
    let document = "mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { userErrors { code } } }";
    let limits = json!([{ "meter": "MESSAGES_PER_DAY", "limit": a_day }]);
    let input = json!({ "input": { "id": own["tenant"]["id"], "limitOverrides": limits } });
    app.client.mutate(document, input, "updateTenant").await?;
    Ok(())
}

async fn a_token_sends_exactly_what_it_may_however_many_ask_at_once(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app).await?;
    limit_tenant(&app, 1000).await?;
    let (bounded, _) = token(&app, 20).await?;
    let (other, _) = token(&app, 30).await?;
    // Three senders at once, whose drafts meet in the same batches: two tokens and a person.
    let senders = (0..60).flat_map(|_| [&bounded, &other, &app.client]).take(150);
    let answers = futures::future::try_join_all(senders.map(|client| send(client, &device))).await?;
    let accepted = |sender: usize| {
        let of_sender = answers.iter().skip(sender).step_by(3);
        of_sender.filter(|answer| !answer["message"].is_null()).count()
    };
    ensure!(
        (accepted(0), accepted(1), accepted(2)) == (20, 30, 50),
        "{:?} were accepted",
        (accepted(0), accepted(1), accepted(2))
    );
    let refused = answers
        .iter()
        .step_by(3)
        .find_map(|answer| answer["userErrors"].get(0))
        .context("nobody was refused")?;
    ensure!(
        refused["code"] == "QUOTA_EXCEEDED" && refused["retryAt"].is_string(),
        "{refused}"
    );
    ensure!(
        refused["details"] == json!({ "meter": "MESSAGES_PER_DAY", "holder": "API_TOKEN", "limit": 20, "used": 20 }),
        "{refused}"
    );
    let told = used(&bounded).await?;
    let line = |holder: &str, limit: i64, used: i64| json!({ "meter": "MESSAGES_PER_DAY", "holder": holder, "limit": limit, "used": used });
    ensure!(
        told == [line("TENANT", 1000, 100), line("API_TOKEN", 20, 20)],
        "{told:?}"
    );
    ensure!(used(&app.client).await? == [line("TENANT", 1000, 100)]);
    Ok(())
}

async fn whichever_has_less_room_refuses(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app).await?;
    let (bounded, _) = token(&app, 5).await?;
    limit_tenant(&app, 2).await?;
    for _ in 0..2 {
        ensure!(!send(&bounded, &device).await?["message"].is_null());
    }
    let refused = send(&bounded, &device).await?;
    let details = &refused["userErrors"][0]["details"];
    ensure!(details["holder"] == "TENANT" && details["limit"] == 2, "{refused}");
    limit_tenant(&app, 100).await?;
    for _ in 0..3 {
        ensure!(!send(&bounded, &device).await?["message"].is_null());
    }
    let refused = send(&bounded, &device).await?;
    let details = &refused["userErrors"][0]["details"];
    ensure!(
        details["holder"] == "API_TOKEN" && details["used"] == 5,
        "what was refused by the tenant was not counted for the token: {refused}"
    );
    // A new day of the tenant.
    app.clock.advance(chrono::TimeDelta::days(1));
    ensure!(!send(&bounded, &device).await?["message"].is_null());
    Ok(())
}

async fn limits_of_tokens_are_checked_and_changed(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for limits in [
        json!([{ "meter": "DEVICES", "limit": 1 }]),
        json!([{ "meter": "MESSAGES_PER_DAY", "limit": -1 }]),
        json!([{ "meter": "MESSAGES_PER_DAY", "limit": 1 }, { "meter": "MESSAGES_PER_DAY", "limit": 2 }]),
    ] {
        let input = json!({ "input": { "name": "x", "scopes": ["READ"], "limits": limits } });
        let data = app.client.query(CREATE, input).await?;
        let error = &data["createApiToken"]["userErrors"][0];
        ensure!(
            error["code"] == "INVALID_INPUT" && error["field"] == json!(["limits"]),
            "{limits}: {error}"
        );
    }
    let (_, made) = token(&app, 0).await?;
    let update = "mutation($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
        apiToken { limits { meter limit } } userErrors { code } } }";
    let named = json!({ "input": { "id": made["id"], "name": "Renamed" } });
    let kept = app.client.mutate(update, named, "updateApiToken").await?;
    ensure!(kept["apiToken"]["limits"] == made["limits"], "{kept}");
    let without = json!({ "input": { "id": made["id"], "limits": [] } });
    let changed = app.client.mutate(update, without, "updateApiToken").await?;
    ensure!(changed["apiToken"]["limits"] == json!([]), "{changed}");
    Ok(())
}
