//! Logging in, staying logged in, and being thrown out.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{EMAIL, PASSWORD, TestApp, TestDatabase};

tests::on_both_databases!(
    an_access_token_expires,
    a_refresh_token_is_replaced_and_its_reuse_ends_the_session,
    a_logout_ends_the_session_at_once,
    logins_are_throttled_after_failures,
);

const REFRESH: &str = "mutation($token: String) { refreshSession(input: { refreshToken: $token }) {
    accessToken refreshToken userErrors { code message } } }";

/// One minute at a time, because a held clock knows no other unit that reads as well.
fn minutes(count: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::minutes(count)
}

async fn is_logged_in(client: &tests::Client) -> Result<bool> {
    let response = client.send("{ viewer { role } }", json!({})).await?;
    ensure!(
        response.errors.is_empty() || response.code() == Some("UNAUTHENTICATED"),
        "{response:?}"
    );
    Ok(response.errors.is_empty())
}

async fn refresh(app: &TestApp, token: &str) -> Result<Value> {
    Ok(app.client.anonymous().query(REFRESH, json!({ "token": token })).await?["refreshSession"].clone())
}

async fn an_access_token_expires(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    ensure!(is_logged_in(&app.client).await?);
    app.clock.advance(minutes(16));
    ensure!(
        !is_logged_in(&app.client).await?,
        "no access token lasts longer than 15 minutes"
    );
    Ok(())
}

async fn a_refresh_token_is_replaced_and_its_reuse_ends_the_session(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let first = app.session["refreshToken"]
        .as_str()
        .context("no refresh token")?
        .to_owned();
    app.clock.advance(minutes(20));
    let answer = refresh(&app, &first).await?;
    let second = answer["refreshToken"]
        .as_str()
        .with_context(|| answer.to_string())?
        .to_owned();
    let client = app
        .client
        .with_token(answer["accessToken"].as_str().context("no access token")?);
    ensure!(first != second);
    ensure!(is_logged_in(&client).await?);

    // Whoever has the old one, after the moment in which two tabs may both use it, has stolen it.
    app.clock.advance(minutes(1));
    let stolen = refresh(&app, &first).await?;
    ensure!(stolen["userErrors"][0]["code"] == "SESSION_EXPIRED", "{stolen}");
    let honest = refresh(&app, &second).await?;
    ensure!(honest["userErrors"][0]["code"] == "SESSION_EXPIRED", "{honest}");
    app.clock.advance(minutes(1));
    ensure!(!is_logged_in(&client).await?, "the whole session has ended");

    // The tenant's log tells it once, with whose session it was.
    let (again, _) = app.client.login(EMAIL, PASSWORD).await?;
    let events = "{ viewer { user { id } } events(types: [REFRESH_TOKEN_REUSED], first: 10) { nodes {
        type ... on RefreshTokenReusedEvent { userId sessionId } } } }";
    let told = again.query(events, json!({})).await?;
    let nodes = told["events"]["nodes"].as_array().context("no events")?;
    ensure!(
        nodes.len() == 1
            && nodes[0]["type"] == "REFRESH_TOKEN_REUSED"
            && nodes[0]["userId"] == told["viewer"]["user"]["id"]
            && nodes[0]["sessionId"].as_str().is_some_and(|id| id.starts_with("ses_")),
        "{told}"
    );
    let log = "{ auditLog(where: { action: [REFRESH_TOKEN_REUSED] }) { nodes { objectId } } }";
    let log = again.query(log, json!({})).await?;
    ensure!(
        log["auditLog"]["nodes"] == json!([{ "objectId": nodes[0]["sessionId"] }]),
        "{log}"
    );
    Ok(())
}

async fn a_logout_ends_the_session_at_once(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let logout = "mutation { logout { success userErrors { code } } }";
    let payload = app.client.mutate(logout, json!({}), "logout").await?;
    ensure!(payload["success"] == true, "{payload}");
    app.clock.advance(chrono::TimeDelta::seconds(2));
    ensure!(!is_logged_in(&app.client).await?);
    Ok(())
}

async fn logins_are_throttled_after_failures(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let document = "mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code retryAt } } }";
    let input = json!({ "input": { "email": EMAIL, "password": "wrong" } });
    for attempt in 0..20 {
        let response = app.client.anonymous().send(document, input.clone()).await?;
        if response.code() == Some("RATE_LIMITED") {
            ensure!(attempt >= 3, "too early: after {attempt} attempts");
            return Ok(());
        }
        ensure!(
            response.data["login"]["userErrors"][0]["code"] == "INVALID_CREDENTIALS",
            "{response:?}"
        );
    }
    anyhow::bail!("twenty wrong passwords in a row were all tried")
}
