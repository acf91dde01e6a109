//! A text is sent with what the page behind its link says of itself, and whatever that page does, the text is sent.

use std::io::Cursor;

use anyhow::{Context, Result, ensure};
use image::{DynamicImage, ImageFormat, RgbImage};
use sandbox::{Disruption, LinkPreview, Received};
use serde_json::{Value, json};
use tests::{Authority, Page, Stage, StageOptions, TestDatabase, Website, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

tests::on_both_databases!(
    a_text_shows_what_its_page_says,
    every_attempt_shows_what_the_first_one_did,
    no_page_keeps_a_text_from_being_sent,
    nothing_is_fetched_unless_it_is_asked_for,
    a_secure_page_is_fetched_and_a_doubtful_one_is_not,
);

const ANI: &str = "+6281200000001";
const BUDI: &str = "+6281200000002";

const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    message { id content { ... on TextContent { body linkPreview { url title description thumbnail } } } }
    userErrors { code message field } } }";

/// A stage that may fetch from 127.0.0.1, and from nowhere else on this machine.
async fn stage(database: TestDatabase, further: &[(&'static str, &str)]) -> Result<Stage> {
    let mut environment = vec![
        ("KABAR_FETCHING_ALLOWED_NETWORKS", "127.0.0.1".to_owned()),
        // Nothing here is slow but what is meant to be, however busy the machine is.
        ("KABAR_FETCHING_TIMEOUT_MS", "30000".to_owned()),
    ];
    environment.retain(|(name, _)| !further.iter().any(|(other, _)| other == name));
    environment.extend(further.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let options = StageOptions {
        environment,
        ..StageOptions::default()
    };
    Stage::with(database, options).await
}

/// Sends a text and asks for the preview; answers the message.
async fn send(stage: &Stage, device: &str, body: &str) -> Result<Value> {
    send_with(
        stage,
        device,
        json!({ "text": { "body": body, "linkPreview": true } }),
        None,
    )
    .await
}

async fn send_with(stage: &Stage, device: &str, content: Value, key: Option<&str>) -> Result<Value> {
    let input = json!({ "deviceId": device, "to": { "phone": BUDI }, "content": content, "idempotencyKey": key });
    let payload = stage
        .client
        .mutate(SEND, json!({ "input": input }), "sendMessage")
        .await?;
    Ok(payload["message"].clone())
}

fn last_received(stage: &Stage) -> Result<Received> {
    let ledger = stage.network.received(BUDI, None, 100)?;
    ledger.last().cloned().context("nothing arrived")
}

fn picture(format: ImageFormat) -> Result<Vec<u8>> {
    let picture = RgbImage::from_fn(600, 315, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 120])
    });
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut file, format)?;
    Ok(file.into_inner())
}

fn article(title: &str) -> Page {
    Page::Html(format!(
        r#"<!doctype html><html><head><title>Bukan ini</title>
        <meta property="og:title" content="{title}"><meta property="og:description" content="Dari &quot;Padang&quot;">
        <meta property="og:image" content="/gambar.png"></head><body>…</body></html>"#
    ))
}

async fn a_text_shows_what_its_page_says(database: TestDatabase) -> Result<()> {
    let stage = stage(database, &[]).await?;
    let device = stage.linked_device(ANI).await?;
    stage.linked_device(BUDI).await?;
    let website = Website::at("127.0.0.1").await?;
    website.put("/gambar.png", Page::File("image/png", picture(ImageFormat::Png)?));
    let moved_to = website.put("/resep/rendang", article("Rendang &amp; sambal"));
    let link = website.put("/r", Page::Redirect(moved_to));
    let body = format!("Coba ini: {link}, lalu {link}/2");

    let message = send(&stage, &device.id, &body).await?;

    let shown = message["content"]["linkPreview"].clone();
    ensure!(message["content"]["body"] == body.as_str(), "{message}");
    ensure!(shown["url"] == link.as_str(), "{shown}");
    ensure!(shown["title"] == "Rendang & sambal", "{shown}");
    ensure!(shown["description"] == "Dari \"Padang\"", "{shown}");
    let thumbnail = shown["thumbnail"].as_str().context("no picture")?;
    let encoded = thumbnail
        .strip_prefix("data:image/jpeg;base64,/9j/")
        .context("no JPEG")?;
    ensure!(website.requests() == ["/r", "/resep/rendang", "/gambar.png"]);
    stage.until_delivered(&message).await?;
    let received = last_received(&stage)?;
    ensure!(
        received.kind == "text" && received.text.as_deref() == Some(&body),
        "{received:?}"
    );
    let preview = received.link_preview.context("the phone got no preview")?;
    ensure!(preview.url == link, "{preview:?}");
    ensure!(preview.title.as_deref() == Some("Rendang & sambal"), "{preview:?}");
    ensure!(preview.description.as_deref() == Some("Dari \"Padang\""), "{preview:?}");
    let bytes = (encoded.trim_end_matches('=').len() + 4) * 3 / 4;
    ensure!(preview.thumbnail_bytes == bytes, "{preview:?} but {bytes}");

    // What was written here comes in there, on the other account's device.
    let incoming = "{ messages(where: { direction: IN }) { nodes { content {
        ... on TextContent { body linkPreview { url title description thumbnail } } } } } }";
    let came = eventually("it came in", || async {
        let found = stage.client.query(incoming, json!({})).await?;
        Ok(found["messages"]["nodes"].get(0).cloned())
    })
    .await?;
    ensure!(came["content"] == message["content"], "{came} but {message}");

    // A page without a picture that can be used, and one that never ends, still say what they are.
    let endless = "<title>Tanpa akhir</title><meta property=og:image content='/halaman'>".to_owned();
    let link = website.put("/halaman", Page::Endless(endless));
    let message = send(&stage, &device.id, &link).await?;
    let shown = &message["content"]["linkPreview"];
    ensure!(
        shown["title"] == "Tanpa akhir" && shown["thumbnail"].is_null(),
        "{message}"
    );
    stage.until_delivered(&message).await?;
    let received = last_received(&stage)?.link_preview;
    let expected = LinkPreview {
        url: link,
        title: Some("Tanpa akhir".to_owned()),
        description: None,
        thumbnail_bytes: 0,
    };
    ensure!(received.as_ref() == Some(&expected), "{received:?}");
    Ok(())
}

async fn every_attempt_shows_what_the_first_one_did(database: TestDatabase) -> Result<()> {
    let stage = stage(database, &[]).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    let website = Website::at("127.0.0.1").await?;
    website.put("/gambar.png", Page::File("image/jpeg", picture(ImageFormat::Jpeg)?));
    let link = website.put("/a", article("Dulu"));
    let title = |received: &Received| received.link_preview.clone().and_then(|preview| preview.title);

    // The acknowledgement is lost.
    stage
        .network
        .disrupt(ANI, Disruption::DropSocketAfter { messages: 1 })
        .await?;
    let message = send(&stage, &device.id, &link).await?;
    website.put("/a", article("Kini"));
    stage.until_delivered(&message).await?;
    // Once or twice: the first one's receipt may come before it is sent again.
    let received = last_received(&stage)?;
    ensure!(title(&received).as_deref() == Some("Dulu"), "{received:?}");

    // The recipient cannot read it: it asks for it again.
    stage.settle_session(&device, BUDI).await?;
    stage.network.disrupt(BUDI, Disruption::LoseSessions).await?;
    let message = send(&stage, &device.id, &link).await?;
    ensure!(message["content"]["linkPreview"]["title"] == "Kini", "{message}");
    website.put("/a", article("Nanti"));
    stage.until_delivered(&message).await?;
    let received = last_received(&stage)?;
    ensure!(title(&received).as_deref() == Some("Kini"), "{received:?}");
    ensure!(
        received
            .link_preview
            .is_some_and(|preview| preview.thumbnail_bytes > 500),
        "the picture is lost"
    );
    ensure!(
        website.requests() == ["/a", "/gambar.png", "/a", "/gambar.png"],
        "{:?}",
        website.requests()
    );
    Ok(())
}

async fn no_page_keeps_a_text_from_being_sent(database: TestDatabase) -> Result<()> {
    let stage = stage(database, &[("KABAR_FETCHING_TIMEOUT_MS", "700")]).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    let website = Website::at("127.0.0.1").await?;
    // The same machine by another address, which may not be fetched from.
    let secret = Website::at("127.0.0.2").await?;
    let inner = secret.put("/rahasia", article("Rahasia"));
    let port = inner.rsplit(':').next().unwrap_or_default().to_owned();
    let bodies = [
        website.put("/keluar", Page::Redirect(inner.clone())),
        website.put(
            "/keluar-lagi",
            Page::Redirect(format!("http://[::ffff:127.0.0.2]:{port}")),
        ),
        inner,
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        website.put("/diam", Page::Silent),
        website.put("/besar", Page::Endless("<p>".to_owned())),
        website.put("/data", Page::File("application/json", b"{\"title\":1}".to_vec())),
        website.put("/kosong", Page::Html("<p>tanpa judul".to_owned())),
        website.put("/putar", Page::Redirect("/putar".to_owned())),
        website.put("/", Page::Silent).replace("http://", "http://orang:sandi@"),
        format!("{}-tidak-ada", website.put("/ada", article("Ada"))),
        "http://127.0.0.1:1/".to_owned(),
        "http://tidak-ada.invalid/".to_owned(),
        "tanpa tautan apa pun".to_owned(),
    ];
    for body in &bodies {
        let message = send(&stage, &device.id, body).await?;
        ensure!(message["content"]["linkPreview"].is_null(), "{body}: {message}");
        stage.until_delivered(&message).await?;
        let received = last_received(&stage)?;
        ensure!(received.text.as_deref() == Some(body), "{received:?}");
        ensure!(received.link_preview.is_none(), "{received:?}");
    }
    ensure!(
        secret.requests().is_empty(),
        "somebody knocked: {:?}",
        secret.requests()
    );
    let log = stage.kabar.log();
    for reason in [
        "the address is not on the public internet",
        "it took too long",
        "it is not what was wanted",
        "the page has no title",
        "it was sent elsewhere more than",
        "the address carries a user name",
        "the server answered 404",
        "the server cannot be reached",
    ] {
        ensure!(log.contains(reason), "the log does not say: {reason}");
    }
    ensure!(
        !log.contains("/rahasia") && !log.contains("/tidak-ada"),
        "the log names a link"
    );
    Ok(())
}

async fn nothing_is_fetched_unless_it_is_asked_for(database: TestDatabase) -> Result<()> {
    let stage = stage(database, &[]).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    let website = Website::at("127.0.0.1").await?;
    let link = website.put("/a", Page::Html("<title>Judul</title>".to_owned()));
    for content in [
        json!({ "text": { "body": link } }),
        json!({ "text": { "body": link, "linkPreview": false } }),
        json!({ "text": { "body": link, "linkPreview": null } }),
    ] {
        let message = send_with(&stage, &device.id, content, None).await?;
        ensure!(message["content"]["linkPreview"].is_null(), "{message}");
        stage.until_delivered(&message).await?;
        ensure!(last_received(&stage)?.link_preview.is_none());
    }
    ensure!(website.requests().is_empty(), "{:?}", website.requests());

    // A call that is made again is answered with the first message.
    let content = json!({ "text": { "body": link, "linkPreview": true } });
    let first = send_with(&stage, &device.id, content.clone(), Some("satu")).await?;
    let second = send_with(&stage, &device.id, content, Some("satu")).await?;
    ensure!(first == second, "{first} but {second}");
    ensure!(first["content"]["linkPreview"]["title"] == "Judul", "{first}");
    ensure!(website.requests() == ["/a"], "{:?}", website.requests());
    Ok(())
}

async fn a_secure_page_is_fetched_and_a_doubtful_one_is_not(database: TestDatabase) -> Result<()> {
    let (trusted, stranger) = (Authority::new()?, Authority::new()?);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, trusted.pem())?;
    let stage = stage(database, &[("KABAR_FETCHING_CA_FILE", &file.display().to_string())]).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    let cases = [
        (&trusted, "localhost", Some("Aman")),
        (&trusted, "lain.test", None),
        (&stranger, "localhost", None),
    ];
    for (authority, name, expected) in cases {
        let acceptor = authority.acceptor(name)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>Aman</title>";
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(page.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        let message = send(&stage, &device.id, &format!("https://localhost:{port}/")).await?;
        let title = message["content"]["linkPreview"]["title"].as_str();
        ensure!(title == expected, "{name}: {message}");
        stage.until_delivered(&message).await?;
        serving.abort();
    }
    Ok(())
}
