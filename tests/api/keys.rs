//! Keys are rotated while a server runs: nobody is logged out, and nothing that is stored is lost.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::{EMAIL, PASSWORD, Place, TestApp, TestDatabase, connect, eventually};
use totp_rs::Totp;

tests::on_both_databases!(
    a_new_signing_key_logs_nobody_out,
    everything_is_encrypted_anew_and_an_interrupted_rotation_goes_on,
    the_configured_secret_is_changed_by_a_rotation,
);

const OLD: &str = "an old text of more than thirty-two bytes";
const NEW: &str = "the new text of more than thirty-two bytes";

async fn with_secret(database: TestDatabase) -> Result<TestApp> {
    TestApp::with(database, &[("secret_key", OLD)]).await
}

fn admin(app: &TestApp, command: &str, secrets: (&str, &str)) -> Result<tokio::process::Command> {
    let mut kabar = tokio::process::Command::new(Place::find()?.program("kabar")?);
    kabar
        .args(["admin", command])
        .env("KABAR_DATABASE_URL", app.database.url())
        .env("KABAR_SECRET_KEY", secrets.0)
        .env("KABAR_PREVIOUS_SECRET_KEYS", secrets.1)
        .kill_on_drop(true);
    Ok(kabar)
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// The `kid` in a token's header, still encoded with what stands around it.
fn header(token: &Value) -> Result<String> {
    let token = token.as_str().context("no token")?;
    Ok(token.split('.').next().unwrap_or_default().to_owned())
}

async fn is_in(app: &TestApp) -> Result<bool> {
    Ok(app
        .client
        .send("{ viewer { role } }", json!({}))
        .await?
        .errors
        .is_empty())
}

/// Turns the second factor on, so that something is stored encrypted.
async fn with_second_factor(app: &TestApp) -> Result<Totp> {
    let enroll = "mutation($password: String!) { enrollSecondFactor(input: { currentPassword: $password }) {
        enrollment { uri } userErrors { code } } }";
    let made = app
        .client
        .mutate(enroll, json!({ "password": PASSWORD }), "enrollSecondFactor")
        .await?;
    let totp = Totp::from_url(made["enrollment"]["uri"].as_str().context("no uri")?)?;
    let confirm = "mutation($code: String!) { confirmSecondFactor(input: { code: $code }) { userErrors { code } } }";
    let code = totp.generate(app.clock.now().timestamp().try_into()?).to_string();
    app.client
        .mutate(confirm, json!({ "code": code }), "confirmSecondFactor")
        .await?;
    Ok(totp)
}

async fn login_with_code(app: &TestApp, totp: &Totp) -> Result<()> {
    app.clock.advance(chrono::TimeDelta::seconds(30));
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }";
    let code = totp.generate(app.clock.now().timestamp().try_into()?).to_string();
    let input = json!({ "input": { "email": EMAIL, "password": PASSWORD, "totp": code } });
    app.client.mutate(login, input, "login").await?;
    Ok(())
}

/// The number of the key that the stored secret is under.
async fn stored_under(app: &TestApp) -> Result<u8> {
    let connection = connect(&app.database.url()).await?;
    let row = entity::second_factor::Entity::find().one(&connection).await?;
    connection.close().await?;
    row.and_then(|row| row.secret.first().copied())
        .context("nothing is stored")
}

async fn keys(app: &TestApp) -> Result<Vec<entity::server_key::Model>> {
    let connection = connect(&app.database.url()).await?;
    let rows = entity::server_key::Entity::find().all(&connection).await?;
    connection.close().await?;
    Ok(rows)
}

async fn a_new_signing_key_logs_nobody_out(database: TestDatabase) -> Result<()> {
    let app = with_secret(database).await?;
    let before = header(&app.session["accessToken"])?;
    let output = admin(&app, "rotate-signing-key", (OLD, ""))?.output().await?;
    ensure!(output.status.success(), "{}", told(&output));
    app.clock.advance(chrono::TimeDelta::seconds(60));
    eventually("tokens are signed by the new key", || async {
        let (_, session) = app.client.login(EMAIL, PASSWORD).await?;
        Ok((header(&session["accessToken"])? != before).then_some(()))
    })
    .await?;
    ensure!(is_in(&app).await?, "a token of the old key is refused");
    let stored = keys(&app).await?;
    let secret = b"access token v1";
    ensure!(
        stored.len() == 3
            && stored
                .iter()
                .all(|key| !key.sealed.windows(15).any(|part| part == secret)),
        "{}",
        stored.len()
    );
    let (client, _) = app.client.login(EMAIL, PASSWORD).await?;
    client.query("{ viewer { role } }", json!({})).await?;
    Ok(())
}

async fn everything_is_encrypted_anew_and_an_interrupted_rotation_goes_on(database: TestDatabase) -> Result<()> {
    let app = with_secret(database).await?;
    let totp = with_second_factor(&app).await?;
    ensure!(stored_under(&app).await? == 1);

    // Killed after the new key was stored, before anything is under it.
    let mut first = admin(&app, "rotate-encryption-key", (OLD, ""))?
        .stdout(std::process::Stdio::null())
        .spawn()?;
    eventually("the new key is stored", || async {
        Ok((keys(&app).await?.len() == 3).then_some(()))
    })
    .await?;
    first.kill().await?;
    ensure!(stored_under(&app).await? == 1);
    login_with_code(&app, &totp).await?;

    let output = admin(&app, "rotate-encryption-key", (OLD, ""))?.output().await?;
    ensure!(output.status.success(), "{}", told(&output));
    ensure!(told(&output).contains("went on"), "{}", told(&output));
    ensure!(stored_under(&app).await? == 2, "{}", told(&output));
    ensure!(keys(&app).await?.len() == 3, "there is one new key, not two");
    // The server that ran all the while reads what is stored now.
    login_with_code(&app, &totp).await?;
    let log = "{ auditLog(where: { action: [LOGIN_FAILED] }) { nodes { action } } }";
    ensure!(app.client.query(log, json!({})).await?["auditLog"]["nodes"] == json!([]));
    Ok(())
}

async fn the_configured_secret_is_changed_by_a_rotation(database: TestDatabase) -> Result<()> {
    let app = with_secret(database).await?;
    with_second_factor(&app).await?;
    let output = admin(&app, "rotate-encryption-key", (NEW, ""))?.output().await?;
    ensure!(
        !output.status.success() && told(&output).contains("KABAR_PREVIOUS_SECRET_KEYS"),
        "{}",
        told(&output)
    );
    let output = admin(&app, "rotate-encryption-key", (NEW, OLD))?.output().await?;
    ensure!(output.status.success(), "{}", told(&output));
    let output = admin(&app, "rotate-signing-key", (NEW, ""))?.output().await?;
    ensure!(output.status.success(), "the new secret is enough: {}", told(&output));
    let output = admin(&app, "rotate-signing-key", (OLD, ""))?.output().await?;
    ensure!(!output.status.success(), "the old one opens nothing: {}", told(&output));
    // A server that was not restarted goes on with the keys it knows; tests/e2e/keys.rs has those that were.
    ensure!(is_in(&app).await?);
    Ok(())
}
