//! Texts that mention people: in groups that go by numbers and in groups that go by hidden addresses, out and in.

use anyhow::{Context, Result, ensure};
use entity::message;
use sandbox::{Disruption, Received, Target, Text};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{LinkedDevice, Stage, TestDatabase, eventually};

tests::on_both_databases!(
    people_are_mentioned_as_their_group_calls_them,
    every_attempt_mentions_the_same_people,
    everybody_is_mentioned,
    mentions_that_come_in_are_shown,
);

const ANI: &str = "+6281200000001";
const BUDI: &str = "+6281200000002";
const CITRA: &str = "+6281200000003";

const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    message { id content { ... on TextContent { body mentionsEveryone mentions { jid phoneNumber text isOwn } } } }
    userErrors { code message field } } }";

/// A stage with Ani's device, and a group that Budi made with Ani and Citra.
async fn stage(database: TestDatabase, hidden: bool) -> Result<(Stage, LinkedDevice, String)> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    stage.phone(CITRA)?;
    stage.network.set_hidden_addressing(hidden);
    let group = group(&stage).await?;
    Ok((stage, device, group))
}

async fn group(stage: &Stage) -> Result<String> {
    let members = [ANI.to_owned(), CITRA.to_owned()];
    Ok(stage.network.create_group(BUDI, "Rapat", &members).await?.jid)
}

async fn send(stage: &Stage, device: &str, to: &str, body: &str, mentions: &[&str]) -> Result<Value> {
    let mentions: Vec<Value> = mentions.iter().map(|number| json!({ "phone": number })).collect();
    let input = json!({ "deviceId": device, "to": { "jid": to }, "content": { "text": { "body": body } },
        "mentions": mentions });
    let payload = stage
        .client
        .mutate(SEND, json!({ "input": input }), "sendMessage")
        .await?;
    Ok(payload["message"].clone())
}

/// What reached Citra's phone with this message.
async fn reached(stage: &Stage, message: &Value) -> Result<Received> {
    stage.until_delivered(message).await?;
    let id = message["id"].as_str().context("no message")?;
    let sent = stage.message(id).await?;
    eventually("it reached Citra's phone", || async {
        let rows = stage.network.received(CITRA, None, 1_000)?;
        Ok(rows
            .into_iter()
            .find(|row| sent["whatsappId"] == row.whatsapp_id.as_str()))
    })
    .await
}

fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

fn jid(number: &str) -> String {
    format!("{}@s.whatsapp.net", digits(number))
}

fn lid(stage: &Stage, number: &str) -> Result<String> {
    Ok(stage.network.phone(number).context("no such phone")?.lid)
}

fn user(jid: &str) -> &str {
    jid.split('@').next().unwrap_or(jid)
}

async fn people_are_mentioned_as_their_group_calls_them(database: TestDatabase) -> Result<()> {
    let (stage, device, numbered) = stage(database, false).await?;
    stage.network.set_hidden_addressing(true);
    let hidden = group(&stage).await?;
    let absent = "+6281299999999";
    for (group, own, citra) in [
        (&numbered, jid(ANI), jid(CITRA)),
        (&hidden, lid(&stage, ANI)?, lid(&stage, CITRA)?),
    ] {
        let body = format!("Halo {{m1}}, {{mention[1]}} dan @{} {{nama}}", digits(absent));
        let message = send(&stage, &device.id, group, &body, &["0812 0000 0003", ANI, absent]).await?;
        // What is shown is what was meant, however the group calls them.
        let shown = format!(
            "Halo @{}, @{} dan @{} {{nama}}",
            digits(CITRA),
            digits(ANI),
            digits(absent)
        );
        ensure!(message["content"]["body"] == shown.as_str(), "{message}");
        let row = reached(&stage, &message).await?;
        let expected = format!(
            "Halo @{}, @{} dan @{} {{nama}}",
            user(&citra),
            user(&own),
            digits(absent)
        );
        ensure!(row.text.as_deref() == Some(expected.as_str()), "{row:?}");
        ensure!(
            row.mentions == [citra, own, jid(absent)] && !row.mentions_everyone,
            "{row:?}"
        );
        let document = "query($id: ID!) { node(id: $id) { ... on Message { id content { ... on TextContent {
            body mentionsEveryone mentions { jid phoneNumber text isOwn } } } } } }";
        let found = stage.client.query(document, json!({ "id": message["id"] })).await?;
        ensure!(found["node"] == message, "{found} but {message}");
    }

    // A chat with one person, and people who stand nowhere in the text.
    let message = send(&stage, &device.id, &jid(CITRA), "Halo", &[BUDI, CITRA, BUDI]).await?;
    let row = reached(&stage, &message).await?;
    ensure!(row.text.as_deref() == Some("Halo"), "{row:?}");
    ensure!(row.mentions == [jid(BUDI), jid(CITRA)], "{row:?}");
    Ok(())
}

async fn every_attempt_mentions_the_same_people(database: TestDatabase) -> Result<()> {
    let (stage, device, group) = stage(database, true).await?;
    let citra = lid(&stage, CITRA)?;
    let expected = format!("Halo @{}", user(&citra));
    let check =
        |row: &Received| row.mentions == std::slice::from_ref(&citra) && row.text.as_deref() == Some(expected.as_str());

    // Accepted while nobody can ask the group.
    let disconnect = "mutation($id: ID!) { disconnectDevice(id: $id) { userErrors { code } } }";
    let id = json!({ "id": device.id });
    stage.client.mutate(disconnect, id, "disconnectDevice").await?;
    stage.until_status(&device.id, "DISCONNECTED").await?;
    let message = send(&stage, &device.id, &group, "Halo {m1}", &[CITRA]).await?;
    ensure!(stored(&stage, &message).await?["mentions"] == json!([{ "jid": jid(CITRA) }]));
    // The first acknowledgement is lost.
    stage
        .network
        .disrupt(ANI, Disruption::DropSocketAfter { messages: 1 })
        .await?;
    stage.connect_device(&device.id).await?;
    let row = reached(&stage, &message).await?;
    ensure!(check(&row), "{row:?}");
    let settled = json!([{ "jid": jid(CITRA), "written": citra }]);
    let kept = stored(&stage, &message).await?;
    ensure!(
        kept["mentions"] == settled && kept["text"] == format!("Halo @{}", digits(CITRA)).as_str(),
        "{kept}"
    );
    stage.until_status(&device.id, "CONNECTED").await?;

    // Citra's phone cannot read it: it asks for it again, and gets what the others got.
    stage.network.disrupt(CITRA, Disruption::LoseSessions).await?;
    let message = send(&stage, &device.id, &group, "Halo {m1}", &[CITRA]).await?;
    let row = reached(&stage, &message).await?;
    ensure!(check(&row), "{row:?}");
    Ok(())
}

/// The content of a message as it stands in the database.
async fn stored(stage: &Stage, shown: &Value) -> Result<Value> {
    let id: entity::MessageId = shown["id"].as_str().context("no id")?.parse()?;
    let database = stage.database.connect().await?;
    let found = message::Entity::find()
        .filter(message::Column::Id.eq(id))
        .one(&database)
        .await?;
    database.close().await?;
    Ok(found.context("no such message")?.content)
}

async fn everybody_is_mentioned(database: TestDatabase) -> Result<()> {
    let (stage, device, group) = stage(database, true).await?;
    for (body, mentions, link_preview) in [
        ("@all rapat", json!(null), false),
        ("rapat, {m1}", json!([{ "phone": CITRA }]), true),
    ] {
        let text = json!({ "body": body, "linkPreview": link_preview });
        let input = json!({ "deviceId": device.id, "to": { "jid": group }, "content": { "text": text },
            "mentions": mentions, "mentionEveryone": true });
        let payload = stage
            .client
            .mutate(SEND, json!({ "input": input }), "sendMessage")
            .await?;
        let message = &payload["message"];
        ensure!(message["content"]["mentionsEveryone"] == true, "{message}");
        let row = reached(&stage, message).await?;
        let people = mentions.as_array().map_or(0, Vec::len);
        ensure!(row.mentions_everyone && row.mentions.len() == people, "{row:?}");
    }
    let input = json!({ "deviceId": device.id, "to": { "phone": CITRA }, "mentionEveryone": true,
        "content": { "text": { "body": "@all" } } });
    let code = stage
        .client
        .refused(SEND, json!({ "input": input }), "sendMessage")
        .await?;
    ensure!(code == "INVALID_INPUT", "{code}");
    Ok(())
}

async fn mentions_that_come_in_are_shown(database: TestDatabase) -> Result<()> {
    let (stage, _device, numbered) = stage(database, false).await?;
    // What she writes tells the device both of her addresses.
    stage.network.set_hidden_addressing(true);
    let hidden = group(&stage).await?;
    stage
        .network
        .send_text(CITRA, Target::Group(hidden.clone()), "Saya")
        .await?;
    incoming(&stage, "Saya").await?;
    for (number, (target, written)) in [
        (Target::Group(numbered), [jid(ANI), jid(CITRA)]),
        (Target::Group(hidden), [lid(&stage, ANI)?, lid(&stage, CITRA)?]),
        (Target::Phone(ANI.to_owned()), [lid(&stage, ANI)?, lid(&stage, CITRA)?]),
    ]
    .into_iter()
    .enumerate()
    {
        let in_group = matches!(target, Target::Group(_));
        let text = Text {
            body: format!("{number}: @{} @all", digits(ANI)),
            mentions: vec![ANI.to_owned(), CITRA.to_owned()],
            mentions_everyone: true,
        };
        stage.network.send_text(BUDI, target, text).await?;
        let body = format!("{number}: @{} @all", user(&written[0]));
        let content = incoming(&stage, &body).await?;
        let person = |number: &str, text: Option<&str>| {
            json!({ "jid": jid(number), "phoneNumber": number, "text": text.map(|user| format!("@{user}")),
                "isOwn": number == ANI })
        };
        let expected = json!({
            "body": body,
            // Nobody but the two is there.
            "mentionsEveryone": in_group,
            "mentions": [person(ANI, Some(user(&written[0]))), person(CITRA, None)],
        });
        ensure!(content == expected, "{content} but {expected}");
    }
    Ok(())
}

/// The content of what came in with this text.
async fn incoming(stage: &Stage, body: &str) -> Result<Value> {
    let document = "{ messages(where: { direction: IN }) { nodes { content { ... on TextContent {
        body mentionsEveryone mentions { jid phoneNumber text isOwn } } } } } }";
    eventually(&format!("{body} came in"), || async {
        let found = stage.client.query(document, json!({})).await?;
        let all = found["messages"]["nodes"].as_array().context("no list")?;
        let mut contents = all.iter().map(|message| &message["content"]);
        Ok(contents.find(|content| content["body"] == body).cloned())
    })
    .await
}
