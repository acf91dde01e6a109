//! Mail over TLS: to servers that show who they are, and to no other.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::{Authority, EMAIL, MailServer, Security, Stage, StageOptions, TestDatabase, eventually};

tests::on_both_databases!(
    mail_goes_over_tls_from_the_start_and_after_starttls,
    a_server_that_cannot_show_who_it_is_gets_no_mail_and_only_the_log_tells,
    a_server_that_is_told_to_stop_hands_over_its_letters_first,
    an_invitation_whose_letter_was_lost_in_a_crash_is_mailed_again,
);

const HOST: &str = "127.0.0.1";
const REQUEST: &str = "mutation($email: String!) { requestPasswordReset(input: { email: $email }) {
    mailsAreSent userErrors { code } } }";

/// Kabar with this mail server, trusting this authority besides the public ones.
async fn stage(database: TestDatabase, smtp_url: String, trusted: &Authority) -> Result<(Stage, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, trusted.pem())?;
    let options = StageOptions {
        environment: vec![
            ("KABAR_SMTP_URL", smtp_url),
            ("KABAR_MAIL_CA_FILE", file.display().to_string()),
            ("KABAR_PUBLIC_URL", "http://kabar.test".to_owned()),
        ],
        ..StageOptions::default()
    };
    Ok((Stage::with(database, options).await?, folder))
}

async fn ask(stage: &Stage) -> Result<()> {
    let client = stage.client.anonymous();
    let told = client.query(REQUEST, json!({ "email": EMAIL })).await?;
    let usual = json!({ "requestPasswordReset": { "mailsAreSent": true, "userErrors": [] } });
    ensure!(told == usual, "{told}");
    Ok(())
}

async fn mail_goes_over_tls_from_the_start_and_after_starttls(database: TestDatabase) -> Result<()> {
    let kind = database.kind();
    drop(database);
    let authority = Authority::new()?;
    let acceptor = authority.acceptor(HOST)?;
    for security in [Security::Tls(acceptor.clone()), Security::StartTls(acceptor)] {
        let server = MailServer::start_with(security).await?;
        let (stage, _folder) = stage(TestDatabase::new(kind).await?, server.url(), &authority).await?;
        ask(&stage).await?;
        let mails = server.until(1).await?;
        ensure!(mails[0].to == EMAIL && mails[0].secured, "{mails:?}");
        ensure!(
            mails[0].link()?.starts_with("http://kabar.test/password-reset#"),
            "{mails:?}"
        );
    }
    Ok(())
}

async fn a_server_that_cannot_show_who_it_is_gets_no_mail_and_only_the_log_tells(database: TestDatabase) -> Result<()> {
    let kind = database.kind();
    drop(database);
    let (trusted, foreign) = (Authority::new()?, Authority::new()?);
    let cases = [
        (Security::Tls(foreign.acceptor(HOST)?), "invalid peer certificate"),
        (Security::StartTls(foreign.acceptor(HOST)?), "invalid peer certificate"),
        (
            Security::Tls(trusted.acceptor("mail.other.test")?),
            "not valid for name",
        ),
        // It does not speak TLS, though the configuration wants it.
        (Security::None, "STARTTLS"),
    ];
    for (security, wanted) in cases {
        let plain = matches!(security, Security::None);
        let server = MailServer::start_with(security).await?;
        let url = if plain {
            format!("{}?tls=required", server.url())
        } else {
            server.url()
        };
        let (stage, _folder) = stage(TestDatabase::new(kind).await?, url, &trusted).await?;
        ask(&stage).await?;
        let told = eventually("the log tells of the letter", || async {
            let log = stage.kabar.log();
            let line = log.lines().find(|line| line.contains("a letter was not taken"));
            Ok(line.map(str::to_owned))
        })
        .await?;
        ensure!(told.contains(wanted), "{told}");
        ensure!(!told.contains(EMAIL) && !told.contains("password-reset"), "{told}");
        ensure!(server.received().is_empty(), "{:?}", server.received());
    }
    Ok(())
}

const INVITE: &str = "mutation { inviteMember(input: { email: \"sari@kabar.test\", role: AGENT }) {
    link mailed invitation { id } userErrors { code } } }";
const RESEND: &str = "mutation($id: ID!) { resendInvitation(id: $id) { link mailed userErrors { code } } }";

async fn with_plain_mail(database: TestDatabase) -> Result<(Stage, MailServer)> {
    let server = MailServer::start().await?;
    let options = StageOptions {
        environment: vec![
            ("KABAR_SMTP_URL", server.url()),
            ("KABAR_PUBLIC_URL", "http://kabar.test".to_owned()),
        ],
        ..StageOptions::default()
    };
    Ok((Stage::with(database, options).await?, server))
}

async fn a_server_that_is_told_to_stop_hands_over_its_letters_first(database: TestDatabase) -> Result<()> {
    let (mut stage, server) = with_plain_mail(database).await?;
    // The first attempt is turned away, so that the letter waits when the server is told to stop.
    server.refuse_for_now(1);
    stage.client.mutate(INVITE, json!({}), "inviteMember").await?;
    stage.kabar.terminate().await?;
    let mails = server.received();
    ensure!(mails.len() == 1 && mails[0].to == "sari@kabar.test", "{mails:?}");
    Ok(())
}

async fn an_invitation_whose_letter_was_lost_in_a_crash_is_mailed_again(database: TestDatabase) -> Result<()> {
    let (mut stage, server) = with_plain_mail(database).await?;
    server.refuse_for_now(usize::MAX);
    let made = stage.client.mutate(INVITE, json!({}), "inviteMember").await?;
    ensure!(made["mailed"] == true, "{made}");
    stage.kabar.kill().await?;
    server.refuse_for_now(0);
    stage.kabar.start_again().await?;
    stage.log_in_again().await?;
    // The invitation stands, and whoever made it has its link already.
    let offer = "query($token: String!) { invitation(token: $token) { email } }";
    let token = |link: &str| {
        link.split_once('#')
            .map(|(_, token)| token.to_owned())
            .context("no token")
    };
    let link = made["link"].as_str().context("no link")?;
    let stands = stage
        .client
        .anonymous()
        .query(offer, json!({ "token": token(link)? }))
        .await?;
    ensure!(stands["invitation"]["email"] == "sari@kabar.test", "{stands}");
    let id = json!({ "id": made["invitation"]["id"] });
    stage.client.mutate(RESEND, id, "resendInvitation").await?;
    let mails = server.until(1).await?;
    let token = json!({ "token": mails[0].secret()? });
    let mailed = stage.client.anonymous().query(offer, token).await?;
    ensure!(mailed["invitation"]["email"] == "sari@kabar.test", "{mailed}");
    ensure!(server.received().len() == 1, "the lost letter came after all");
    Ok(())
}
