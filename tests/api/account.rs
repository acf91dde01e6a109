//! People see and end their sessions, and choose new passwords.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, EMAIL, PASSWORD, TestApp, TestDatabase, second_tenant};

tests::on_both_databases!(
    sessions_are_listed_and_ended,
    a_new_password_ends_the_other_sessions,
    weak_passwords_and_wrong_ones_are_refused,
);

const SESSIONS: &str = "{ sessions { id current address } }";
const END: &str = "mutation($id: ID!) { endSession(id: $id) { endedId userErrors { code } } }";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) {
    accessToken expiresAt userErrors { code field } } }";
const STRONG: &str = "rusty bicycle over the harbour";

async fn sessions(client: &Client) -> Result<Vec<Value>> {
    let data = client.query(SESSIONS, json!({})).await?;
    data["sessions"].as_array().cloned().context("no sessions")
}

async fn is_in(client: &Client) -> Result<bool> {
    Ok(client.send(SESSIONS, json!({})).await?.errors.is_empty())
}

async fn sessions_are_listed_and_ended(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (other, _) = app.client.login(EMAIL, PASSWORD).await?;
    let list = sessions(&app.client).await?;
    ensure!(
        list.len() == 2 && list.iter().all(|one| one["address"] == "127.0.0.1"),
        "{list:?}"
    );
    let (mine, theirs): (Vec<Value>, Vec<Value>) = list.into_iter().partition(|one| one["current"] == true);
    ensure!(mine.len() == 1);

    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let id = json!({ "id": theirs[0]["id"] });
    ensure!(stranger.refused(END, id.clone(), "endSession").await? == "NOT_FOUND");
    let mut live = other.subscribe("subscription { events { type } }", json!({})).await?;
    app.client.mutate(END, id.clone(), "endSession").await?;
    ensure!(!is_in(&other).await? && is_in(&app.client).await?);
    ensure!(live.next().await.is_err(), "the websocket goes on");
    ensure!(app.client.refused(END, id, "endSession").await? == "NOT_FOUND");
    Ok(())
}

async fn a_new_password_ends_the_other_sessions(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (other, _) = app.client.login(EMAIL, PASSWORD).await?;
    app.clock.advance(chrono::TimeDelta::seconds(5));
    let input = json!({ "input": { "currentPassword": PASSWORD, "newPassword": STRONG } });
    let changed = app.client.mutate(CHANGE, input, "changePassword").await?;
    ensure!(!is_in(&other).await?);
    ensure!(!is_in(&app.client).await?, "a token from before the change is refused");
    let client = app
        .client
        .with_token(changed["accessToken"].as_str().context("no token")?);
    ensure!(sessions(&client).await?.len() == 1);
    ensure!(app.client.login(EMAIL, PASSWORD).await.is_err());
    app.client.login(EMAIL, STRONG).await?;
    let log = "{ auditLog(where: { action: [PASSWORD_CHANGED] }) { nodes { objectName before after } } }";
    let log = client.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    ensure!(
        log == json!([{ "objectName": EMAIL, "before": null, "after": null }]),
        "{log}"
    );
    Ok(())
}

async fn weak_passwords_and_wrong_ones_are_refused(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for (current, new, wanted) in [
        (PASSWORD, "short", "INVALID_INPUT"),
        (PASSWORD, "password1234", "INVALID_INPUT"),
        (PASSWORD, EMAIL, "INVALID_INPUT"),
        ("not the password", STRONG, "INVALID_CREDENTIALS"),
    ] {
        let input = json!({ "input": { "currentPassword": current, "newPassword": new } });
        let code = app.client.refused(CHANGE, input, "changePassword").await?;
        ensure!(code == wanted, "{new}: {code}");
    }
    ensure!(is_in(&app.client).await?);
    // Guessing the current password is throttled like a login.
    let input = json!({ "input": { "currentPassword": "a guess", "newPassword": STRONG } });
    for _ in 0..20 {
        if app.client.send(CHANGE, input.clone()).await?.code() == Some("RATE_LIMITED") {
            return Ok(());
        }
    }
    anyhow::bail!("twenty guesses in a row were all tried")
}
