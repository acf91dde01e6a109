//! Logins ask for a code of an authenticator app when their owner wants it, and each code counts once.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, EMAIL, PASSWORD, Place, TestApp, TestDatabase};
use totp_rs::Totp;

tests::on_both_databases!(
    a_login_asks_for_a_code_once_the_second_factor_is_on,
    a_code_counts_once_however_many_bring_it,
    recovery_codes_stand_in_once_each,
    both_factors_are_wanted_to_turn_it_off,
    guessed_codes_are_throttled_whatever_the_password,
    a_challenge_ends_with_its_time_and_with_the_password,
    the_secret_is_stored_sealed,
    an_operator_turns_it_off_from_the_command_line,
);

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) {
    accessToken challenge { token expiresAt } userErrors { code field } } }";
const COMPLETE: &str = "mutation($input: CompleteLoginInput!) { completeLogin(input: $input) {
    accessToken viewer { role } userErrors { code } } }";
const ENROLL: &str = "mutation($input: EnrollSecondFactorInput!) { enrollSecondFactor(input: $input) {
    enrollment { secret uri qrSvg qrPng expiresAt } userErrors { code field } } }";
const CONFIRM: &str = "mutation($input: ConfirmSecondFactorInput!) { confirmSecondFactor(input: $input) {
    recoveryCodes userErrors { code } } }";
const RENEW: &str = "mutation($input: SecondFactorInput!) { renewRecoveryCodes(input: $input) {
    recoveryCodes userErrors { code } } }";
const DISABLE: &str = "mutation($input: SecondFactorInput!) { disableSecondFactor(input: $input) {
    success userErrors { code field } } }";
const STATE: &str = "{ viewer { secondFactor { enabled enabledAt recoveryCodesLeft } } }";

/// An app on a phone, as far as the server can tell.
struct Authenticator(Totp);

impl Authenticator {
    fn code(&self, app: &TestApp) -> Result<String> {
        Ok(self.0.generate(app.clock.now().timestamp().try_into()?).to_string())
    }
}

async fn enroll(app: &TestApp) -> Result<Authenticator> {
    let input = json!({ "input": { "currentPassword": PASSWORD } });
    let payload = app.client.mutate(ENROLL, input, "enrollSecondFactor").await?;
    let enrollment = &payload["enrollment"];
    let uri = enrollment["uri"].as_str().context("no uri")?;
    ensure!(
        enrollment["qrSvg"].as_str().is_some_and(|svg| svg.contains("<svg"))
            && enrollment["qrPng"]
                .as_str()
                .is_some_and(|png| png.starts_with("data:image/png"))
            && uri.contains(enrollment["secret"].as_str().context("no secret")?),
        "{enrollment}"
    );
    Ok(Authenticator(Totp::from_url(uri)?))
}

/// Turns it on; answers the recovery codes. The next code is that of a later step.
async fn turn_on(app: &TestApp) -> Result<(Authenticator, Vec<String>)> {
    let authenticator = enroll(app).await?;
    let input = json!({ "input": { "code": authenticator.code(app)? } });
    let payload = app.client.mutate(CONFIRM, input, "confirmSecondFactor").await?;
    let codes: Vec<String> = serde_json::from_value(payload["recoveryCodes"].clone())?;
    ensure!(codes.len() == 10, "{codes:?}");
    next_step(app);
    Ok((authenticator, codes))
}

fn next_step(app: &TestApp) {
    app.clock.advance(chrono::TimeDelta::seconds(30));
}

async fn login(client: &Client, totp: Option<&str>) -> Result<Value> {
    let input = json!({ "input": { "email": EMAIL, "password": PASSWORD, "totp": totp } });
    Ok(client.anonymous().query(LOGIN, input).await?["login"].clone())
}

async fn challenge(client: &Client) -> Result<String> {
    let answer = login(client, None).await?;
    ensure!(
        answer["accessToken"].is_null() && answer["userErrors"][0]["code"] == "SECOND_FACTOR_REQUIRED",
        "{answer}"
    );
    Ok(answer["challenge"]["token"]
        .as_str()
        .context("no challenge")?
        .to_owned())
}

async fn complete(client: &Client, challenge: &str, code: &str) -> Result<Value> {
    let input = json!({ "input": { "challenge": challenge, "code": code } });
    Ok(client.anonymous().query(COMPLETE, input).await?["completeLogin"].clone())
}

async fn audited(client: &Client, actions: &str) -> Result<Vec<Value>> {
    let log = format!("{{ auditLog(where: {{ action: [{actions}] }}) {{ nodes {{ action actor {{ kind }} }} }} }}");
    let log = client.query(&log, json!({})).await?;
    log["auditLog"]["nodes"].as_array().cloned().context("no entries")
}

async fn a_login_asks_for_a_code_once_the_second_factor_is_on(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let state = app.client.query(STATE, json!({})).await?["viewer"]["secondFactor"].clone();
    ensure!(
        state == json!({ "enabled": false, "enabledAt": null, "recoveryCodesLeft": 0 }),
        "{state}"
    );
    let wrong = json!({ "input": { "currentPassword": "not the password" } });
    ensure!(app.client.refused(ENROLL, wrong, "enrollSecondFactor").await? == "INVALID_CREDENTIALS");
    let code = json!({ "input": { "code": "123456" } });
    ensure!(app.client.refused(CONFIRM, code.clone(), "confirmSecondFactor").await? == "CONFLICT");

    // A secret that was never confirmed asks for nothing, and another one takes its place.
    enroll(&app).await?;
    ensure!(login(&app.client, None).await?["accessToken"].is_string());
    let authenticator = enroll(&app).await?;
    ensure!(app.client.refused(CONFIRM, code, "confirmSecondFactor").await? == "INVALID_CODE");
    let (other, _) = app.client.login(EMAIL, PASSWORD).await?;
    let input = json!({ "input": { "code": authenticator.code(&app)? } });
    app.client.mutate(CONFIRM, input, "confirmSecondFactor").await?;
    next_step(&app);
    let state = other.query(STATE, json!({})).await?["viewer"]["secondFactor"].clone();
    ensure!(
        state["enabled"] == true && state["recoveryCodesLeft"] == 10,
        "other sessions go on: {state}"
    );
    let again = json!({ "input": { "currentPassword": PASSWORD } });
    ensure!(app.client.refused(ENROLL, again, "enrollSecondFactor").await? == "CONFLICT");

    let challenge = challenge(&app.client).await?;
    let answer = complete(&app.client, &challenge, "000000").await?;
    ensure!(answer["userErrors"][0]["code"] == "INVALID_CODE", "{answer}");
    let answer = complete(&app.client, &challenge, &authenticator.code(&app)?).await?;
    ensure!(answer["viewer"]["role"] == "OWNER", "{answer}");
    next_step(&app);
    let answer = login(&app.client, Some(&authenticator.code(&app)?)).await?;
    ensure!(answer["accessToken"].is_string(), "both at once: {answer}");
    for token in [challenge.as_str(), "", "a.b.c"] {
        let response = app.client.with_token(token).send(STATE, json!({})).await?;
        ensure!(
            response.code() == Some("UNAUTHENTICATED"),
            "a challenge opens nothing: {response:?}"
        );
    }
    let told = audited(&app.client, "SECOND_FACTOR_ENABLED, LOGIN_FAILED").await?;
    ensure!(
        told.iter().any(|entry| entry["action"] == "SECOND_FACTOR_ENABLED")
            && told.iter().any(|entry| entry["action"] == "LOGIN_FAILED"),
        "{told:?}"
    );
    Ok(())
}

async fn a_code_counts_once_however_many_bring_it(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (authenticator, _) = turn_on(&app).await?;
    let challenge = challenge(&app.client).await?;
    let code = authenticator.code(&app)?;
    let answers = futures::future::try_join_all((0..4).map(|_| complete(&app.client, &challenge, &code))).await?;
    let entered = answers
        .iter()
        .filter(|answer| answer["accessToken"].is_string())
        .count();
    ensure!(entered == 1, "{answers:?}");
    next_step(&app);
    let answer = complete(&app.client, &challenge, &code).await?;
    ensure!(
        answer["userErrors"][0]["code"] == "INVALID_CODE",
        "a step late is in time, but the code was used: {answer}"
    );
    ensure!(complete(&app.client, &challenge, &authenticator.code(&app)?).await?["accessToken"].is_string());
    Ok(())
}

async fn recovery_codes_stand_in_once_each(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (authenticator, codes) = turn_on(&app).await?;
    let challenge = challenge(&app.client).await?;
    let typed = codes[0].to_uppercase().replace('-', " ");
    ensure!(complete(&app.client, &challenge, &typed).await?["accessToken"].is_string());
    let again = complete(&app.client, &challenge, &codes[0]).await?;
    ensure!(again["userErrors"][0]["code"] == "INVALID_CODE", "{again}");
    let state = app.client.query(STATE, json!({})).await?;
    ensure!(state["viewer"]["secondFactor"]["recoveryCodesLeft"] == 9, "{state}");

    let input = json!({ "input": { "currentPassword": PASSWORD, "code": authenticator.code(&app)? } });
    let renewed = app.client.mutate(RENEW, input, "renewRecoveryCodes").await?;
    let answer = complete(&app.client, &challenge, &codes[1]).await?;
    ensure!(
        answer["userErrors"][0]["code"] == "INVALID_CODE",
        "the old ones have ended: {answer}"
    );
    let fresh = renewed["recoveryCodes"][0].as_str().context("no codes")?;
    ensure!(login(&app.client, Some(fresh)).await?["accessToken"].is_string());
    let told = audited(&app.client, "RECOVERY_CODE_USED, RECOVERY_CODES_RENEWED").await?;
    ensure!(told.len() == 3, "{told:?}");
    Ok(())
}

async fn both_factors_are_wanted_to_turn_it_off(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let input = |password: &str, code: &str| json!({ "input": { "currentPassword": password, "code": code } });
    let off = app
        .client
        .refused(DISABLE, input(PASSWORD, "000000"), "disableSecondFactor")
        .await?;
    ensure!(off == "CONFLICT", "{off}");
    let (authenticator, codes) = turn_on(&app).await?;
    let code = authenticator.code(&app)?;
    let wrong = input("not the password", &code);
    ensure!(app.client.refused(DISABLE, wrong, "disableSecondFactor").await? == "INVALID_CREDENTIALS");
    let wrong = input(PASSWORD, "000000");
    ensure!(app.client.refused(DISABLE, wrong, "disableSecondFactor").await? == "INVALID_CODE");
    let payload = app
        .client
        .mutate(DISABLE, input(PASSWORD, &code), "disableSecondFactor")
        .await?;
    ensure!(payload["success"] == true, "{payload}");
    let answer = login(&app.client, None).await?;
    ensure!(answer["accessToken"].is_string(), "{answer}");
    turn_on(&app).await?;
    let answer = login(&app.client, Some(&codes[0])).await?;
    ensure!(
        answer["userErrors"][0]["code"] == "INVALID_CODE",
        "codes of before have gone: {answer}"
    );
    Ok(())
}

async fn guessed_codes_are_throttled_whatever_the_password(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (authenticator, _) = turn_on(&app).await?;
    let document = "mutation($input: CompleteLoginInput!) { completeLogin(input: $input) { userErrors { code } } }";
    for attempt in 0..20 {
        // A right password before each guess gives no more guesses.
        let challenge = challenge(&app.client).await?;
        let input = json!({ "input": { "challenge": challenge, "code": "000000" } });
        let response = app.client.anonymous().send(document, input).await?;
        if response.code() == Some("RATE_LIMITED") {
            ensure!(attempt >= 3, "too early: after {attempt} attempts");
            let input = json!({ "input": { "challenge": challenge, "code": authenticator.code(&app)? } });
            let response = app.client.anonymous().send(document, input).await?;
            ensure!(response.code() == Some("RATE_LIMITED"), "{response:?}");
            return Ok(());
        }
    }
    anyhow::bail!("twenty guesses in a row were all tried")
}

async fn a_challenge_ends_with_its_time_and_with_the_password(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (authenticator, _) = turn_on(&app).await?;
    let first = challenge(&app.client).await?;
    app.clock.advance(chrono::TimeDelta::minutes(5));
    let answer = complete(&app.client, &first, &authenticator.code(&app)?).await?;
    ensure!(answer["userErrors"][0]["code"] == "SESSION_EXPIRED", "{answer}");

    let second = challenge(&app.client).await?;
    app.clock.advance(chrono::TimeDelta::seconds(2));
    let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "currentPassword": PASSWORD, "newPassword": "rusty bicycle over the harbour" } });
    app.client.mutate(change, input, "changePassword").await?;
    let answer = complete(&app.client, &second, &authenticator.code(&app)?).await?;
    ensure!(answer["userErrors"][0]["code"] == "SESSION_EXPIRED", "{answer}");
    Ok(())
}

async fn the_secret_is_stored_sealed(database: TestDatabase) -> Result<()> {
    use sea_orm::EntityTrait;
    let app = TestApp::new(database).await?;
    let (authenticator, codes) = turn_on(&app).await?;
    let connection = tests::connect(&app.database.url()).await?;
    let row = entity::second_factor::Entity::find().one(&connection).await?;
    let sealed = row.context("no row")?.secret;
    let plain = authenticator.0.secret().as_bytes();
    ensure!(
        sealed.len() > plain.len() && !sealed.windows(plain.len()).any(|part| part == plain),
        "the secret can be read"
    );
    let kept = entity::recovery_code::Entity::find().all(&connection).await?;
    let letters = codes[0].replace('-', "").into_bytes();
    ensure!(
        kept.len() == 10
            && kept
                .iter()
                .all(|row| row.code_hash.len() == 32 && row.code_hash != letters),
        "{kept:?}"
    );
    Ok(connection.close().await?)
}

async fn an_operator_turns_it_off_from_the_command_line(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    turn_on(&app).await?;
    let run = async |email: &str| {
        let output = tokio::process::Command::new(Place::find()?.program("kabar")?)
            .args(["admin", "reset-second-factor", email])
            .env("KABAR_DATABASE_URL", app.database.url())
            .env("KABAR_SECRET_KEY", "0123456789abcdef0123456789abcdef-test")
            .output()
            .await?;
        anyhow::Ok(output.status.success())
    };
    ensure!(!run("nobody@kabar.test").await?);
    ensure!(run(EMAIL).await?);
    let answer = login(&app.client, None).await?;
    ensure!(answer["accessToken"].is_string(), "{answer}");
    let told = audited(&app.client, "SECOND_FACTOR_RESET").await?;
    ensure!(told.len() == 1 && told[0]["actor"]["kind"] == "SYSTEM", "{told:?}");
    ensure!(!run(EMAIL).await?, "there is nothing left to turn off");
    Ok(())
}
