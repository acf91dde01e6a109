//! People whom a text mentions: how they are given, stored and shown.

use anyhow::{Context, Result, ensure};
use entity::device;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase, connect, rows, text_input};

tests::on_both_databases!(
    placeholders_are_filled_and_mentions_are_kept,
    a_text_without_mentions_is_sent_as_it_is,
    mentions_that_cannot_be_are_refused_at_their_place,
    the_same_key_keeps_the_first_mentions,
    everybody_is_mentioned_in_groups_only,
    nobody_learns_a_name_that_is_not_theirs_to_know,
);

const ANI: &str = "6281200000001";
const BUDI: &str = "6281200000002";
const CITRA: &str = "6281200000003";
const GROUP: &str = "120363021033254949@g.us";

const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    message { id content { ... on TextContent {
        body mentionsEveryone mentions { jid phoneNumber text name isOwn } } } }
    userErrors { code message field } } }";

/// A device that counts as linked to Ani's number: what it is given to send stays queued.
async fn device(app: &TestApp, owner: &Client) -> Result<String> {
    let create = "mutation { createDevice(input: { name: \"D\" }) { device { id } userErrors { code } } }";
    let made = owner.mutate(create, json!({}), "createDevice").await?;
    let id = made["device"]["id"].as_str().context("no device")?.to_owned();
    let connection = connect(&app.database.url()).await?;
    device::Entity::update_many()
        .col_expr(device::Column::Linked, Expr::value(true))
        .col_expr(device::Column::Jid, Expr::value(format!("{ANI}:7@s.whatsapp.net")))
        .col_expr(device::Column::Lid, Expr::value("900:7@lid"))
        .col_expr(device::Column::PushName, Expr::value("Toko Ani"))
        .filter(device::Column::Id.eq(id.parse::<entity::DeviceId>()?))
        .exec(&connection)
        .await?;
    connection.close().await?;
    Ok(id)
}

fn input(device: &str, body: &str, further: Value) -> Value {
    let mut input = text_input(device, &format!("+{BUDI}"), body);
    if let (Some(input), Value::Object(further)) = (input.as_object_mut(), further) {
        input.extend(further);
    }
    input
}

async fn send(client: &Client, input: Value) -> Result<Value> {
    let payload = client.query(SEND, json!({ "input": input })).await?;
    Ok(payload["sendMessage"].clone())
}

/// Sends, and answers the content.
async fn sent(client: &Client, input: Value) -> Result<Value> {
    let payload = send(client, input).await?;
    ensure!(payload["userErrors"] == json!([]), "{payload}");
    Ok(payload["message"]["content"].clone())
}

async fn placeholders_are_filled_and_mentions_are_kept(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app, &app.client).await?;
    let mentions = json!([
        { "phone": "0812 0000 0003" },
        { "jid": format!("{ANI}@c.us") },
        { "phone": format!("+{CITRA}") },
        { "jid": "901@lid" },
        { "jid": "900@lid" },
    ]);
    let body = "Halo {m1} dan {mention2}, {mention[3]} {nama} @{m4}: {mentions}";
    let payload = send(&app.client, input(&device, body, json!({ "mentions": mentions }))).await?;
    let content = &payload["message"]["content"];
    let all = format!("@{CITRA} @{ANI} @901 @900");
    let expected = format!("Halo @{CITRA} dan @{ANI}, @901 {{nama}} @@901: {all}");
    ensure!(content["body"] == expected.as_str(), "{content}");
    ensure!(content["mentionsEveryone"] == false, "{content}");
    let person = |user: &str, own: bool| {
        let hidden = user.len() == 3;
        json!({
            "jid": format!("{user}@{}", if hidden { "lid" } else { "s.whatsapp.net" }),
            "phoneNumber": if hidden { Value::Null } else { json!(format!("+{user}")) },
            "text": format!("@{user}"),
            "name": if own { json!("Toko Ani") } else { Value::Null },
            "isOwn": own,
        })
    };
    let people = json!([
        person(CITRA, false),
        person(ANI, true),
        person("901", false),
        person("900", true)
    ]);
    ensure!(content["mentions"] == people, "{content}");

    let document = "query($id: ID!) { node(id: $id) { ... on Message { content { ... on TextContent {
        body mentionsEveryone mentions { jid phoneNumber text name isOwn } } } } } }";
    let found = app
        .client
        .query(document, json!({ "id": payload["message"]["id"] }))
        .await?;
    ensure!(found["node"]["content"] == *content, "{found}");

    // By hand, where not every digit stands, and nowhere.
    let mentions = json!([{ "phone": format!("+{CITRA}") }, { "phone": format!("+{BUDI}") }, { "jid": "90@lid" }]);
    let body = format!("(@{CITRA}) @{BUDI}9 @901");
    let content = sent(&app.client, input(&device, &body, json!({ "mentions": mentions }))).await?;
    ensure!(content["body"] == body.as_str(), "{content}");
    let texts: Vec<&Value> = content["mentions"]
        .as_array()
        .context("no list")?
        .iter()
        .map(|one| &one["text"])
        .collect();
    ensure!(
        texts == [&json!(format!("@{CITRA}")), &Value::Null, &Value::Null],
        "{content}"
    );

    // As many people as there can be in a group, each mentioned once however often they stand in the list.
    let people: Vec<Value> = (0..1024)
        .map(|number| json!({ "jid": format!("{}@lid", 1000 + number / 2) }))
        .collect();
    let content = sent(&app.client, input(&device, "Halo", json!({ "mentions": people }))).await?;
    ensure!(content["mentions"].as_array().map(Vec::len) == Some(512), "{content}");
    Ok(())
}

async fn a_text_without_mentions_is_sent_as_it_is(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app, &app.client).await?;
    for further in [
        json!({}),
        json!({ "mentions": null, "mentionEveryone": null }),
        json!({ "mentionEveryone": false }),
    ] {
        let content = sent(&app.client, input(&device, "Halo {m1} {mentions} @all", further)).await?;
        let expected = json!({ "body": "Halo {m1} {mentions} @all", "mentions": [], "mentionsEveryone": false });
        ensure!(content == expected, "{content}");
    }
    let content = sent(&app.client, input(&device, "Halo {nama}", json!({ "mentions": [] }))).await?;
    ensure!(content["body"] == "Halo {nama}", "{content}");
    Ok(())
}

async fn mentions_that_cannot_be_are_refused_at_their_place(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app, &app.client).await?;
    let citra = json!({ "phone": format!("+{CITRA}") });
    let many: Vec<Value> = vec![citra.clone(); 1025];
    // With `@` and the digits, as long as a text may be.
    let long = "x".repeat(4096 - 1 - CITRA.len());
    let fits = input(&device, &format!("{long}{{m1}}"), json!({ "mentions": [citra] }));
    let fits = sent(&app.client, fits).await?;
    ensure!(fits["body"].as_str().map(str::len) == Some(4096), "{fits}");
    for (body, mentions, code, field) in [
        (
            "Halo",
            json!([citra, { "phone": "12" }]),
            "INVALID_PHONE_NUMBER",
            "mentions.1.phone",
        ),
        ("Halo", json!([{ "jid": GROUP }]), "INVALID_INPUT", "mentions.0.jid"),
        (
            "Halo",
            json!([citra, citra, { "jid": "x@lid" }]),
            "INVALID_INPUT",
            "mentions.2.jid",
        ),
        ("Halo", json!(many), "INVALID_INPUT", "mentions"),
        ("Halo {m2}", json!([citra]), "INVALID_INPUT", "content.text.body"),
        ("Halo {m0}", json!([citra]), "INVALID_INPUT", "content.text.body"),
        (
            "Halo {mention[1]}",
            json!([citra]),
            "INVALID_INPUT",
            "content.text.body",
        ),
        ("Halo {mentions}", json!([]), "INVALID_INPUT", "content.text.body"),
        (
            &format!("{long}x{{m1}}"),
            json!([citra]),
            "INVALID_INPUT",
            "content.text.body",
        ),
        (
            &"{m1}".repeat(100_000),
            json!([citra]),
            "INVALID_INPUT",
            "content.text.body",
        ),
        ("", json!([citra]), "INVALID_INPUT", "content.text.body"),
    ] {
        let payload = send(&app.client, input(&device, body, json!({ "mentions": mentions }))).await?;
        let body: String = body.chars().take(40).collect();
        ensure!(payload["message"].is_null(), "{body}: {payload}");
        let error = &payload["userErrors"][0];
        let path: Vec<&str> = field.split('.').collect();
        ensure!(
            error["code"] == code && error["field"] == json!(path),
            "{body}: {payload}"
        );
    }
    Ok(())
}

async fn the_same_key_keeps_the_first_mentions(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app, &app.client).await?;
    let with = |user: &str| {
        let further = json!({ "mentions": [{ "phone": format!("+{user}") }], "idempotencyKey": "satu" });
        input(&device, "Halo {m1}", further)
    };
    let first = send(&app.client, with(CITRA)).await?;
    let again = send(&app.client, with(BUDI)).await?;
    ensure!(first == again, "{first} but {again}");
    ensure!(
        first["message"]["content"]["body"] == format!("Halo @{CITRA}").as_str(),
        "{first}"
    );
    Ok(())
}

async fn everybody_is_mentioned_in_groups_only(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app, &app.client).await?;
    let everyone = |to: Value| input(&device, "@all rapat", json!({ "to": to, "mentionEveryone": true }));
    let content = sent(&app.client, everyone(json!({ "jid": GROUP }))).await?;
    let expected = json!({ "body": "@all rapat", "mentions": [], "mentionsEveryone": true });
    ensure!(content == expected, "{content}");
    for person in [json!({ "phone": format!("+{BUDI}") }), json!({ "jid": "901@lid" })] {
        let payload = send(&app.client, everyone(person)).await?;
        let error = &payload["userErrors"][0];
        ensure!(
            payload["message"].is_null() && error["code"] == "INVALID_INPUT",
            "{payload}"
        );
        ensure!(error["field"] == json!(["mentionEveryone"]), "{payload}");
    }
    Ok(())
}

async fn nobody_learns_a_name_that_is_not_theirs_to_know(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let knows = Customer::create(&app.client, "Knows").await?;
    let stranger = Customer::create(&app.client, "Stranger").await?;
    let acquainted = device(&app, &knows.owner).await?;
    let other = device(&app, &knows.owner).await?;
    let strange = device(&app, &stranger.owner).await?;
    // A chat with Budi, whose name is Somebody.
    rows::conversation(&app.database, &knows.id, &acquainted, 1).await?;
    for (owner, device, name) in [
        (&knows.owner, &acquainted, json!("Somebody")),
        (&knows.owner, &other, Value::Null),
        (&stranger.owner, &strange, Value::Null),
    ] {
        let further = json!({ "to": { "jid": GROUP }, "mentions": [{ "phone": format!("+{BUDI}") }] });
        let content = sent(owner, input(device, "Halo {m1}", further)).await?;
        ensure!(content["mentions"][0]["name"] == name, "{content}");
    }
    let payload = send(
        &stranger.owner,
        input(
            &acquainted,
            "Halo {m1}",
            json!({ "mentions": [{ "phone": format!("+{BUDI}") }] }),
        ),
    )
    .await?;
    ensure!(payload["userErrors"][0]["code"] == "NOT_FOUND", "{payload}");
    Ok(())
}
