//! API tokens do what their scopes allow, on their devices, from their networks, until they end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use serde_json::{Value, json};
use tests::{Client, PASSWORD, TestApp, TestDatabase, connect, eventually, second_tenant};

tests::on_both_databases!(
    a_token_opens_every_door_and_says_what_it_is,
    scopes_limit_what_a_token_may_do,
    a_token_of_one_device_sees_no_other,
    a_revoked_token_stops_at_once_with_its_websockets,
    a_token_ends_by_itself_and_is_bound_to_its_networks,
    malformed_tokens_are_refused_when_they_are_made,
    tokens_are_logged_without_their_secret_and_belong_to_their_tenant,
);

const CREATE: &str = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    secret apiToken { id prefix scopes deviceIds expiresAt active } userErrors { code field message } } }";
const REVOKE: &str =
    "mutation($id: ID!) { revokeApiToken(id: $id) { apiToken { active revokedAt } userErrors { code } } }";
const UPDATE: &str = "mutation($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
    apiToken { name scopes deviceIds } userErrors { code field } } }";
const CREATE_DEVICE: &str = "mutation($input: CreateDeviceInput!) { createDevice(input: $input) {
    device { id } userErrors { code } } }";

/// A client with a new token, and the token's id.
async fn token(app: &TestApp, input: Value) -> Result<(Client, Value)> {
    let mut wanted = json!({ "name": "Test", "scopes": ["READ"] });
    for (key, value) in input.as_object().context("no object")? {
        wanted[key] = value.clone();
    }
    let made = app
        .client
        .mutate(CREATE, json!({ "input": wanted }), "createApiToken")
        .await?;
    let secret = made["secret"].as_str().context("no secret")?;
    ensure!(
        secret.starts_with(made["apiToken"]["prefix"].as_str().unwrap_or("?")),
        "{made}"
    );
    Ok((app.client.with_token(secret), made["apiToken"]["id"].clone()))
}

async fn device(client: &Client, name: &str) -> Result<Value> {
    let made = client
        .mutate(CREATE_DEVICE, json!({ "input": { "name": name } }), "createDevice")
        .await?;
    Ok(made["device"]["id"].clone())
}

async fn is_let_in(client: &Client) -> Result<bool> {
    let response = client.send("{ viewer { apiToken { id } } }", json!({})).await?;
    ensure!(
        response.errors.is_empty() || response.code() == Some("UNAUTHENTICATED"),
        "{response:?}"
    );
    Ok(response.errors.is_empty())
}

async fn a_token_opens_every_door_and_says_what_it_is(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (program, id) = token(&app, json!({ "scopes": ["READ", "ANALYTICS"] })).await?;
    let viewer = program
        .query(
            "{ viewer { user { id } role apiToken { id name } permissions memberships { role } } }",
            json!({}),
        )
        .await?["viewer"]
        .clone();
    ensure!(viewer["user"].is_null() && viewer["role"].is_null(), "{viewer}");
    ensure!(viewer["apiToken"]["id"] == id, "{viewer}");
    ensure!(viewer["permissions"] == json!(["READ", "READ_ANALYTICS"]), "{viewer}");

    let device = device(&app.client, "Support").await?;
    let (status, _) = program
        .get(&format!("/devices/{}/qr.png", device.as_str().unwrap_or_default()))
        .await?;
    ensure!(status == 404, "there is no code, but the token is let in: {status}");
    let mut live = program
        .subscribe("subscription { events(after: \"MA\") { type } }", json!({}))
        .await?;
    ensure!(live.next().await?["events"]["type"] == "DEVICE_STATUS");
    eventually("the last use is known", || async {
        let list = app
            .client
            .query(
                "{ apiTokens { totalCount nodes { lastUsedAt lastUsedAddress } } }",
                json!({}),
            )
            .await?;
        let found = &list["apiTokens"]["nodes"][0];
        Ok((found["lastUsedAddress"] == "127.0.0.1" && !found["lastUsedAt"].is_null()).then_some(()))
    })
    .await?;
    Ok(())
}

async fn scopes_limit_what_a_token_may_do(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (reader, _) = token(&app, json!({ "scopes": ["READ"] })).await?;
    let response = reader.send(CREATE_DEVICE, json!({ "input": { "name": "x" } })).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");

    let everything = json!([
        "READ",
        "SEND",
        "MANAGE_DEVICES",
        "CAMPAIGNS",
        "ADMIN",
        "OTP",
        "WEBHOOKS",
        "MEDIA",
        "ANALYTICS",
        "RAW"
    ]);
    let (strongest, _) = token(&app, json!({ "scopes": everything })).await?;
    let response = strongest
        .send(CREATE, json!({ "input": { "name": "child", "scopes": ["READ"] } }))
        .await?;
    ensure!(
        response.code() == Some("FORBIDDEN"),
        "no token makes another: {response:?}"
    );
    for mutation in ["mutation { logout { success } }", "{ apiTokens { totalCount } }"] {
        let response = strongest.send(mutation, json!({})).await?;
        ensure!(response.code() == Some("FORBIDDEN"), "{mutation}: {response:?}");
    }

    // A mutation's answer does not lead to what the token may not read.
    let (manager, _) = token(&app, json!({ "scopes": ["MANAGE_DEVICES"] })).await?;
    let made = "mutation { createDevice(input: { name: \"x\" }) { device { name chats { totalCount } } userErrors { code } } }";
    let response = manager.send(made, json!({})).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    ensure!(device(&manager, "y").await?.is_string());
    let response = manager.send("{ devices { totalCount } }", json!({})).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    Ok(())
}

async fn a_token_of_one_device_sees_no_other(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let own = device(&app.client, "Own").await?;
    let other = device(&app.client, "Other").await?;
    let connection = connect(&app.database.url()).await?;
    let rows = entity::device::Entity::find().all(&connection).await?;
    let mut chats = Vec::new();
    for row in &rows {
        let chat = entity::chat::ActiveModel {
            id: Set(api::clock::new_id()),
            tenant_id: Set(row.tenant_id),
            device_id: Set(row.id),
            jid: Set("6281200000002@s.whatsapp.net".to_owned()),
            kind: Set(entity::chat::Kind::Direct),
            name: Set(Some(row.name.clone())),
            phone_number: Set(Some("+6281200000002".to_owned())),
            unread_count: Set(1),
            last_message_id: Set(None),
            last_message_at: Set(Some(app.clock.now())),
            created_at: Set(app.clock.now()),
        };
        let id = chat.id.clone().unwrap().to_string();
        entity::chat::Entity::insert(chat)
            .exec_without_returning(&connection)
            .await?;
        chats.push((row.name.clone(), id));
    }
    connection.close().await?;

    let scopes = json!(["READ", "SEND", "MANAGE_DEVICES"]);
    let (program, _) = token(&app, json!({ "scopes": scopes, "deviceIds": [own] })).await?;
    let document = "query($other: ID!) { devices { totalCount nodes { id chats { totalCount } } }
        device(id: $other) { id } chats { totalCount nodes { name } } theirs: chats(deviceId: $other) { totalCount }
        events(first: 100) { nodes { ... on DeviceStatusEvent { device { id } } } }
        overview { devices { total } unreadChats } node(id: $other) { id } }";
    let seen = program.query(document, json!({ "other": other })).await?;
    ensure!(
        seen["devices"]["totalCount"] == 1 && seen["devices"]["nodes"][0]["id"] == own,
        "{seen}"
    );
    ensure!(seen["devices"]["nodes"][0]["chats"]["totalCount"] == 1, "{seen}");
    ensure!(seen["device"].is_null() && seen["node"].is_null(), "{seen}");
    ensure!(
        seen["chats"]["totalCount"] == 1 && seen["chats"]["nodes"][0]["name"] == "Own",
        "{seen}"
    );
    ensure!(seen["theirs"]["totalCount"] == 0, "{seen}");
    ensure!(
        seen["overview"]["devices"]["total"] == 1 && seen["overview"]["unreadChats"] == 1,
        "{seen}"
    );
    let events = seen["events"]["nodes"].as_array().context("no events")?;
    ensure!(
        !events.is_empty() && events.iter().all(|event| event["device"]["id"] == own),
        "{seen}"
    );

    let update = "mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) { userErrors { code } } }";
    let rename = |id: &Value| json!({ "input": { "id": id, "name": "Renamed" } });
    ensure!(program.refused(update, rename(&other), "updateDevice").await? == "NOT_FOUND");
    program.mutate(update, rename(&own), "updateDevice").await?;
    let (_, foreign) = chats.iter().find(|(name, _)| name == "Other").context("no chat")?;
    let read = "mutation($id: ID!) { markChatRead(chatId: $id) { userErrors { code } } }";
    ensure!(program.refused(read, json!({ "id": foreign }), "markChatRead").await? == "NOT_FOUND");
    let response = program.send(CREATE_DEVICE, json!({ "input": { "name": "x" } })).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    for id in [&other, &own] {
        let path = format!("/devices/{}/qr.svg", id.as_str().unwrap_or_default());
        ensure!(program.get(&path).await?.0 == 404);
    }

    // Live too: the other device's change comes first and is not heard.
    let mut live = program
        .subscribe(
            "subscription { events(after: \"MA\") { ... on DeviceStatusEvent { device { id } } } }",
            json!({}),
        )
        .await?;
    app.client.mutate(update, rename(&other), "updateDevice").await?;
    app.client.mutate(update, rename(&own), "updateDevice").await?;
    for _ in 0..3 {
        let event = live.next().await?;
        ensure!(event["events"]["device"]["id"] == own, "{event}");
    }
    Ok(())
}

async fn a_revoked_token_stops_at_once_with_its_websockets(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (program, id) = token(&app, json!({})).await?;
    let mut live = program.subscribe("subscription { events { type } }", json!({})).await?;
    ensure!(is_let_in(&program).await?);
    let revoked = app.client.mutate(REVOKE, json!({ "id": id }), "revokeApiToken").await?;
    ensure!(revoked["apiToken"]["active"] == false, "{revoked}");
    ensure!(!is_let_in(&program).await?);
    let closed = live.next().await.err().context("the websocket goes on")?;
    ensure!(
        closed.to_string().contains("4403") || format!("{closed:?}").contains("4403"),
        "{closed:?}"
    );
    let again = app.client.mutate(REVOKE, json!({ "id": id }), "revokeApiToken").await?;
    ensure!(
        again["apiToken"]["revokedAt"] == revoked["apiToken"]["revokedAt"],
        "{again}"
    );
    let input = json!({ "input": { "id": id, "name": "Alive" } });
    ensure!(app.client.refused(UPDATE, input, "updateApiToken").await? == "NOT_FOUND");

    // Another node writes into the database, and this one hears nothing of it.
    let (program, _) = token(&app, json!({})).await?;
    let mut live = program.subscribe("subscription { events { type } }", json!({})).await?;
    ensure!(is_let_in(&program).await?);
    let connection = connect(&app.database.url()).await?;
    connection
        .execute_unprepared("UPDATE api_token SET revoked_at = created_at")
        .await?;
    connection.close().await?;
    let began = Instant::now();
    live.next().await.err().context("the websocket goes on")?;
    ensure!(!is_let_in(&program).await?);
    // It takes less than one second; a machine that is busy with other tests may take its time.
    ensure!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    Ok(())
}

async fn a_token_ends_by_itself_and_is_bound_to_its_networks(database: TestDatabase) -> Result<()> {
    let app = TestApp::with(database, &[("server.trusted_proxies", "127.0.0.1")]).await?;
    let end = app.clock.now() + chrono::TimeDelta::minutes(5);
    let (program, id) = token(&app, json!({ "expiresAt": end })).await?;
    ensure!(is_let_in(&program).await?);
    app.clock.advance(chrono::TimeDelta::minutes(6));
    ensure!(!is_let_in(&program).await?);
    let input = json!({ "input": { "id": id, "expiresAt": null } });
    app.client.mutate(UPDATE, input, "updateApiToken").await?;
    ensure!(is_let_in(&program).await?, "it does not end any more");

    let (elsewhere, _) = token(&app, json!({ "allowedNetworks": ["203.0.113.0/24"] })).await?;
    ensure!(!is_let_in(&elsewhere).await?);
    // The proxy in front is trusted with the address of whom it serves.
    let http = reqwest::Client::new();
    for (forwarded, admitted) in [
        ("203.0.113.9", true),
        ("203.0.114.9", false),
        ("203.0.113.9, 198.51.100.1", false),
    ] {
        let answer: Value = http
            .post(format!("{}/graphql", elsewhere.base()))
            .bearer_auth(elsewhere.token().unwrap_or_default())
            .header("x-forwarded-for", forwarded)
            .json(&json!({ "query": "{ devices { totalCount } }" }))
            .send()
            .await?
            .json()
            .await?;
        ensure!(answer["errors"].is_null() == admitted, "{forwarded}: {answer}");
    }
    Ok(())
}

async fn malformed_tokens_are_refused_when_they_are_made(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = device(&app.client, "Own").await?;
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let foreign = self::device(&stranger, "Theirs").await?;
    for (input, wanted) in [
        (json!({ "name": " ", "scopes": ["READ"] }), "INVALID_INPUT"),
        (json!({ "name": "x", "scopes": [] }), "INVALID_INPUT"),
        (
            json!({ "name": "x", "scopes": ["READ"], "expiresAt": "2020-01-01T00:00:00Z" }),
            "INVALID_INPUT",
        ),
        (
            json!({ "name": "x", "scopes": ["READ"], "deviceIds": [] }),
            "INVALID_INPUT",
        ),
        (
            json!({ "name": "x", "scopes": ["READ", "ADMIN"], "deviceIds": [device] }),
            "INVALID_INPUT",
        ),
        (
            json!({ "name": "x", "scopes": ["READ"], "deviceIds": [foreign] }),
            "NOT_FOUND",
        ),
        (
            json!({ "name": "x", "scopes": ["READ"], "deviceIds": ["garbage"] }),
            "NOT_FOUND",
        ),
        (
            json!({ "name": "x", "scopes": ["READ"], "allowedNetworks": ["example.com"] }),
            "INVALID_INPUT",
        ),
    ] {
        let code = app
            .client
            .refused(CREATE, json!({ "input": input.clone() }), "createApiToken")
            .await?;
        ensure!(code == wanted, "{input}: {code} instead of {wanted}");
    }
    Ok(())
}

async fn tokens_are_logged_without_their_secret_and_belong_to_their_tenant(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (program, id) = token(&app, json!({ "scopes": ["MANAGE_DEVICES"] })).await?;
    device(&program, "Made by a program").await?;
    app.client
        .mutate(
            UPDATE,
            json!({ "input": { "id": id, "name": "New name" } }),
            "updateApiToken",
        )
        .await?;
    let log = "{ auditLog(first: 3) { nodes { action before after actor { kind id name } } } }";
    let log = app.client.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    ensure!(
        log[0]["action"] == "API_TOKEN_UPDATED" && log[0]["after"] == json!({ "name": "New name" }),
        "{log}"
    );
    ensure!(
        log[1]["actor"] == json!({ "kind": "API_TOKEN", "id": id, "name": "Test" }),
        "{log}"
    );
    ensure!(log[2]["action"] == "API_TOKEN_CREATED", "{log}");
    let secret = program.token().unwrap_or_default();
    ensure!(!log.to_string().contains(&secret[20..40]), "{log}");

    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    ensure!(stranger.refused(REVOKE, json!({ "id": id }), "revokeApiToken").await? == "NOT_FOUND");
    let input = json!({ "input": { "id": id, "name": "Mine" } });
    ensure!(stranger.refused(UPDATE, input, "updateApiToken").await? == "NOT_FOUND");
    let seen = stranger
        .query(
            "query($id: ID!) { node(id: $id) { id } apiTokens { totalCount } }",
            json!({ "id": id }),
        )
        .await?;
    ensure!(seen["node"].is_null() && seen["apiTokens"]["totalCount"] == 0, "{seen}");
    ensure!(is_let_in(&program).await?);
    Ok(())
}
