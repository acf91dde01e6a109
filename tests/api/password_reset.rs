//! Whoever has forgotten a password gets a link to choose another one, by mail or from an operator.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, EMAIL, MailServer, PASSWORD, Place, TestApp, TestDatabase, second_tenant};

tests::on_both_databases!(
    a_mailed_link_sets_a_password_once_and_ends_every_session,
    nobody_learns_whether_an_address_has_an_account,
    letters_are_sent_again_when_the_server_is_busy,
    operators_give_links_out_themselves,
    links_end_and_weak_passwords_leave_them_open,
    invitations_are_mailed,
);

const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) {
    mailsAreSent userErrors { code } } }";
const RESET: &str = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) {
    success userErrors { code field } } }";
const LINK: &str = "mutation($input: CreatePasswordResetLinkInput!) { createPasswordResetLink(input: $input) {
    link expiresAt userErrors { code } } }";
const OFFER: &str = "query($token: String!) { passwordReset(token: $token) { email } }";
const STRONG: &str = "rusty bicycle over the harbour";

async fn with_mail(database: TestDatabase) -> Result<(TestApp, MailServer)> {
    let server = MailServer::start().await?;
    let settings = [
        ("mail.smtp_url", server.url()),
        ("mail.from", "Kabar <kabar@kabar.test>".to_owned()),
        ("server.public_url", "http://kabar.test".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    Ok((TestApp::with(database, &settings).await?, server))
}

async fn request(client: &Client, email: &str) -> Result<Value> {
    let input = json!({ "input": { "email": email } });
    Ok(client.anonymous().query(REQUEST, input).await?["requestPasswordReset"].clone())
}

fn reset(token: &str, password: &str) -> Value {
    json!({ "input": { "token": token, "newPassword": password } })
}

async fn is_in(client: &Client) -> Result<bool> {
    Ok(client.send("{ viewer { role } }", json!({})).await?.errors.is_empty())
}

async fn audited(client: &Client, actions: &str) -> Result<Vec<Value>> {
    let log = format!("{{ auditLog(where: {{ action: [{actions}] }}) {{ nodes {{ action objectName }} }} }}");
    let log = client.query(&log, json!({})).await?;
    log["auditLog"]["nodes"].as_array().cloned().context("no entries")
}

async fn a_mailed_link_sets_a_password_once_and_ends_every_session(database: TestDatabase) -> Result<()> {
    let (app, server) = with_mail(database).await?;
    let (other, session) = app.client.login(EMAIL, PASSWORD).await?;
    request(&app.client, &EMAIL.to_uppercase()).await?;
    request(&app.client, EMAIL).await?;
    let mails = server.until(2).await?;
    let mail = &mails[0];
    ensure!(mail.to == EMAIL && mail.from == "kabar@kabar.test", "{mail:?}");
    ensure!(
        mail.link()?.starts_with("http://kabar.test/password-reset#"),
        "{mail:?}"
    );
    ensure!(!mail.text.contains(PASSWORD));
    let anonymous = app.client.anonymous();
    let offer = anonymous.query(OFFER, json!({ "token": mail.secret()? })).await?;
    ensure!(offer["passwordReset"]["email"] == EMAIL, "{offer}");

    // Two clicks at the same moment: one password counts.
    app.clock.advance(chrono::TimeDelta::seconds(5));
    let secret = mail.secret()?;
    let (one, two) = tokio::join!(
        anonymous.query(RESET, reset(&secret, STRONG)),
        anonymous.query(RESET, reset(&secret, STRONG)),
    );
    let done = [one?, two?]
        .iter()
        .filter(|data| data["resetPassword"]["success"] == true)
        .count();
    ensure!(done == 1, "{done} clicks set a password");
    for token in [&secret, &mails[1].secret()?] {
        let code = anonymous.refused(RESET, reset(token, STRONG), "resetPassword").await?;
        ensure!(code == "NOT_FOUND", "every link of the person has ended: {code}");
    }
    ensure!(
        !is_in(&app.client).await? && !is_in(&other).await?,
        "every session has ended"
    );
    let refresh = "mutation($input: RefreshSessionInput) { refreshSession(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "refreshToken": session["refreshToken"] } });
    ensure!(anonymous.refused(refresh, input, "refreshSession").await? == "SESSION_EXPIRED");
    ensure!(app.client.login(EMAIL, PASSWORD).await.is_err());
    let (client, _) = app.client.login(EMAIL, STRONG).await?;
    let told = audited(&client, "PASSWORD_RESET, PASSWORD_RESET_REQUESTED").await?;
    ensure!(
        told.len() == 3 && told[0] == json!({ "action": "PASSWORD_RESET", "objectName": EMAIL }),
        "{told:?}"
    );
    Ok(())
}

async fn nobody_learns_whether_an_address_has_an_account(database: TestDatabase) -> Result<()> {
    let (app, server) = with_mail(database).await?;
    let known = request(&app.client, EMAIL).await?;
    for email in ["nobody@kabar.test", "no address", ""] {
        let unknown = request(&app.client, email).await?;
        ensure!(unknown == known, "{email}: {unknown}");
    }
    let mails = server.until(1).await?;
    ensure!(mails.len() == 1 && mails[0].to == EMAIL, "{mails:?}");
    // Both are refused after the same number of requests.
    for email in [EMAIL, "nobody@kabar.test"] {
        let mut asked = 1;
        loop {
            let input = json!({ "input": { "email": email } });
            let response = app.client.anonymous().send(REQUEST, input).await?;
            if response.code() == Some("RATE_LIMITED") {
                break;
            }
            asked += 1;
            ensure!(asked < 20, "twenty letters to {email}");
        }
        ensure!(asked == 5, "{email}: {asked}");
    }
    let mails = server.until(5).await?;
    ensure!(mails.iter().all(|mail| mail.to == EMAIL), "{mails:?}");
    Ok(())
}

async fn letters_are_sent_again_when_the_server_is_busy(database: TestDatabase) -> Result<()> {
    let (app, server) = with_mail(database).await?;
    server.refuse_for_now(1);
    request(&app.client, EMAIL).await?;
    let mails = server.until(1).await?;
    ensure!(mails[0].to == EMAIL, "{mails:?}");
    Ok(())
}

async fn operators_give_links_out_themselves(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let answer = request(&app.client, EMAIL).await?;
    ensure!(answer["mailsAreSent"] == false, "{answer}");
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let input = json!({ "input": { "email": "stranger@kabar.test" } });
    let payload = app
        .client
        .mutate(LINK, input.clone(), "createPasswordResetLink")
        .await?;
    let link = payload["link"].as_str().context("no link")?;
    let secret = link.strip_prefix("/password-reset#").with_context(|| link.to_owned())?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let response = stranger.send(LINK, input).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    let nobody = json!({ "input": { "email": "nobody@kabar.test" } });
    ensure!(app.client.refused(LINK, nobody, "createPasswordResetLink").await? == "NOT_FOUND");
    app.clock.advance(chrono::TimeDelta::hours(23));
    let anonymous = app.client.anonymous();
    anonymous.mutate(RESET, reset(secret, STRONG), "resetPassword").await?;
    app.client.login("stranger@kabar.test", STRONG).await?;

    // The same from the server's own machine.
    let output = tokio::process::Command::new(Place::find()?.program("kabar")?)
        .args(["admin", "reset-password", EMAIL])
        .env("KABAR_DATABASE_URL", app.database.url())
        .env("KABAR_SECRET_KEY", "0123456789abcdef0123456789abcdef-test")
        .env("KABAR_PUBLIC_URL", "http://kabar.test")
        .output()
        .await?;
    let printed = String::from_utf8(output.stdout)?;
    let secret = printed
        .trim()
        .strip_prefix("http://kabar.test/password-reset#")
        .with_context(|| format!("{printed} {}", String::from_utf8_lossy(&output.stderr)))?;
    let offer = anonymous.query(OFFER, json!({ "token": secret })).await?;
    ensure!(offer["passwordReset"]["email"] == EMAIL, "{offer}");
    let (client, _) = app.client.login(EMAIL, PASSWORD).await?;
    let told = audited(&client, "PASSWORD_RESET_LINK_CREATED").await?;
    ensure!(told.len() == 1 && told[0]["objectName"] == EMAIL, "{told:?}");
    Ok(())
}

async fn links_end_and_weak_passwords_leave_them_open(database: TestDatabase) -> Result<()> {
    let (app, server) = with_mail(database).await?;
    request(&app.client, EMAIL).await?;
    let secret = server.until(1).await?[0].secret()?;
    let anonymous = app.client.anonymous();
    for weak in ["short", "password1234", EMAIL] {
        let code = anonymous.refused(RESET, reset(&secret, weak), "resetPassword").await?;
        ensure!(code == "INVALID_INPUT", "{weak}: {code}");
    }
    let offer = anonymous.query(OFFER, json!({ "token": secret })).await?;
    ensure!(offer["passwordReset"]["email"] == EMAIL, "{offer}");
    for garbage in ["", "x", &secret[1..], "ä"] {
        let code = anonymous
            .refused(RESET, reset(garbage, STRONG), "resetPassword")
            .await?;
        ensure!(code == "NOT_FOUND", "{garbage}: {code}");
    }
    app.clock.advance(chrono::TimeDelta::hours(1));
    let code = anonymous
        .refused(RESET, reset(&secret, STRONG), "resetPassword")
        .await?;
    ensure!(code == "NOT_FOUND", "it has ended: {code}");
    Ok(())
}

async fn invitations_are_mailed(database: TestDatabase) -> Result<()> {
    let (app, server) = with_mail(database).await?;
    let invite = "mutation($input: InviteMemberInput!) { inviteMember(input: $input) {
        link mailed invitation { id } userErrors { code } } }";
    let input = json!({ "input": { "email": "agent@kabar.test", "role": "AGENT" } });
    let invited = app.client.mutate(invite, input, "inviteMember").await?;
    ensure!(invited["mailed"] == true, "{invited}");
    let mail = server.until(1).await?[0].clone();
    ensure!(
        mail.to == "agent@kabar.test" && invited["link"] == mail.link()? && mail.link()?.contains("/invitation#"),
        "{mail:?}"
    );
    let resend = "mutation($id: ID!) { resendInvitation(id: $id) { link mailed userErrors { code } } }";
    let id = json!({ "id": invited["invitation"]["id"] });
    let renewed = app.client.mutate(resend, id, "resendInvitation").await?;
    let mails = server.until(2).await?;
    ensure!(renewed["link"] == mails[1].link()?, "{mails:?}");
    Ok(())
}
