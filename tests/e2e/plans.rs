//! No statement of the paths that matter reads a whole table, on either database.
//!
//! The server is used as its users use it and logs its statements. Then the tables are filled with what other tenants
//! would have, and each statement is explained.

#![expect(clippy::disallowed_types, reason = "a test looks from outside, at everything")]

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use entity::{
    ChatId, DeviceId, MessageId, ReceiptId, TenantId, chat, device, engine_record, event, message, message_queue,
    receipt, tenant,
};
use sandbox::Target;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::{Value, json};
use tests::{Kind, SEND, Stage, StageOptions, TestDatabase, eventually, text_input};

tests::on_both_databases!(no_statement_reads_a_whole_table);

/// Tables that grow with every message.
const LARGE: [&str; 6] = ["message", "chat", "event", "engine_record", "receipt", "message_queue"];
const TENANTS: usize = 40;
const CHATS: usize = 10;
const MESSAGES: usize = 10;

async fn no_statement_reads_a_whole_table(database: TestDatabase) -> Result<()> {
    let options = StageOptions {
        environment: vec![
            ("KABAR_LOG", "info,sqlx::query=trace".to_owned()),
            ("KABAR_LOG_FORMAT", "json".to_owned()),
        ],
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    use_everything(&mut stage).await?;
    stage.kabar.terminate().await?;
    let statements = statements(&stage.kabar.log());
    for table in LARGE {
        ensure!(
            statements.iter().any(|statement| statement.contains(&quoted(table))),
            "no statement about {table} was logged"
        );
    }
    let connection = stage.database.connect().await?;
    fill(&connection).await?;
    connection.execute_unprepared("ANALYZE").await?;
    let mut whole = Vec::new();
    for statement in &statements {
        let steps = explain(&connection, stage.kind(), statement)
            .await
            .with_context(|| statement.clone())?;
        whole.extend(
            steps
                .into_iter()
                .filter(|step| reads_whole(step))
                .map(|step| format!("{}\n    in {statement}", step.trim())),
        );
    }
    ensure!(
        whole.is_empty(),
        "{} whole tables are read:\n{}",
        whole.len(),
        whole.join("\n")
    );
    Ok(())
}

/// Links, sends, receives, lists, follows, restarts.
async fn use_everything(stage: &mut Stage) -> Result<()> {
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let mut input = text_input(&device.id, "+6281200000002", "with a key");
    input["idempotencyKey"] = json!("once");
    for _ in 0..2 {
        stage
            .client
            .mutate(SEND, json!({ "input": input }), "sendMessage")
            .await?;
    }
    let sent = stage.send_text(&device.id, "+6281200000002", "hello").await?;
    stage.until_message(&sent, "DELIVERED").await?;
    let answer = Target::Phone(device.number.clone());
    stage.network.send_text("+6281200000002", answer, "an answer").await?;
    let chat = eventually("the answer came", || async {
        let found = stage.client.query(CHAT, json!({ "device": device.id })).await?;
        let first = &found["chats"]["nodes"][0];
        let id = first["id"].as_str().map(str::to_owned);
        Ok(id.filter(|_| first["unreadCount"] == 1))
    })
    .await?;
    let variables = json!({ "device": device.id, "chat": chat, "message": sent });
    stage.client.query(LISTS, variables).await?;
    stage
        .client
        .mutate(
            "mutation($chat: ID!) { markChatRead(chatId: $chat) { chat { unreadCount } userErrors { code } } }",
            json!({ "chat": chat }),
            "markChatRead",
        )
        .await?;
    stage.kabar.restart().await?;
    stage.log_in_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let again = stage.send_text(&device.id, "+6281200000002", "again").await?;
    stage.until_message(&again, "DELIVERED").await?;
    Ok(())
}

const CHAT: &str = "query($device: ID!) { chats(deviceId: $device) { nodes { id unreadCount } } }";

const LISTS: &str = "query($device: ID!, $chat: ID!, $message: ID!) {
    overview { messagesToday: __typename }
    chats(first: 20) { nodes { id device { id } lastMessage { id status } } }
    unread: chats(deviceId: $device, where: { unread: true }, first: 20) { nodes { id } }
    newest: messages(first: 20) { nodes { id chat { id } device { id } } pageInfo { endCursor } }
    ofDevice: messages(where: { deviceId: $device }, last: 20) { nodes { id } }
    ofChat: messages(where: { chatId: $chat }, first: 20) { totalCount nodes { id statusHistory { status } } }
    events(first: 20) { nodes { id } }
    ofThatDevice: events(deviceId: $device, last: 20) { nodes { id } }
    node(id: $message) { id }
    devices(first: 20) { nodes { id queue { waiting sending } unreadCount } }
}";

/// The statements that the server logged, each once.
fn statements(log: &str) -> BTreeSet<String> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "sqlx::query")
        .filter_map(|line| {
            let whole = line["db.statement"]
                .as_str()
                .map(str::trim)
                .filter(|text| !text.is_empty());
            Some(whole.or(line["summary"].as_str())?.to_owned())
        })
        .filter(|text| {
            ["SELECT", "UPDATE", "DELETE", "WITH"]
                .iter()
                .any(|verb| text.starts_with(verb))
        })
        .filter(|text| LARGE.iter().any(|table| text.contains(&quoted(table))))
        .collect()
}

/// A table as statements name it.
fn quoted(table: &str) -> String {
    format!("\"{table}\"")
}

/// Gives many other tenants what this one has.
async fn fill(connection: &DatabaseConnection) -> Result<()> {
    let tenant = one::<tenant::Entity>(connection).await?;
    let device = one::<device::Entity>(connection).await?;
    let chat = one::<chat::Entity>(connection).await?;
    let message = one::<message::Entity>(connection).await?;
    let event = one::<event::Entity>(connection).await?;
    let record = one::<engine_record::Entity>(connection).await?;
    let new_id = sea_orm::prelude::Uuid::now_v7;
    let (mut tenants, mut devices, mut chats) = (Vec::new(), Vec::new(), Vec::new());
    let (mut messages, mut receipts, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let (mut events, mut records) = (Vec::new(), Vec::new());
    for number in 0..TENANTS {
        let (tenant_id, device_id) = (TenantId(new_id()), DeviceId(new_id()));
        tenants.push(tenant::Model {
            id: tenant_id,
            slug: format!("tenant-{number}"),
            ..tenant.clone()
        });
        devices.push(device::Model {
            id: device_id,
            tenant_id,
            key: None,
            ..device.clone()
        });
        for place in 0..CHATS {
            let chat_id = ChatId(new_id());
            let jid = format!("62813{number:03}{place:05}@s.whatsapp.net");
            chats.push(chat::Model {
                id: chat_id,
                tenant_id,
                device_id,
                jid,
                ..chat.clone()
            });
            for at in 0..MESSAGES {
                let id = MessageId(new_id());
                messages.push(message::Model {
                    id,
                    tenant_id,
                    device_id,
                    chat_id,
                    whatsapp_id: id.0.simple().to_string(),
                    idempotency_key: None,
                    ..message.clone()
                });
                waiting.push(message_queue::Model {
                    tenant_id,
                    message_id: id,
                    device_id,
                    priority: message.priority,
                    sending: false,
                    next_attempt_at: None,
                });
                receipts.push(receipt::Model {
                    id: ReceiptId(new_id()),
                    tenant_id,
                    message_id: id,
                    participant_jid: "participant@lid".to_owned(),
                    participant_phone: None,
                    delivered_at: None,
                    read_at: None,
                    played_at: None,
                });
                let sequence = i64::try_from(place * MESSAGES + at)?;
                events.push(event::Model {
                    tenant_id,
                    sequence,
                    device_id: Some(device_id),
                    ..event.clone()
                });
                let key = sequence.to_be_bytes().to_vec();
                records.push(engine_record::Model {
                    device_id,
                    key,
                    ..record.clone()
                });
            }
        }
    }
    insert::<tenant::Entity, tenant::ActiveModel>(connection, tenants).await?;
    insert::<device::Entity, device::ActiveModel>(connection, devices).await?;
    insert::<chat::Entity, chat::ActiveModel>(connection, chats).await?;
    insert::<message::Entity, message::ActiveModel>(connection, messages).await?;
    insert::<message_queue::Entity, message_queue::ActiveModel>(connection, waiting).await?;
    insert::<receipt::Entity, receipt::ActiveModel>(connection, receipts).await?;
    insert::<event::Entity, event::ActiveModel>(connection, events).await?;
    insert::<engine_record::Entity, engine_record::ActiveModel>(connection, records).await
}

async fn one<E: EntityTrait>(connection: &DatabaseConnection) -> Result<E::Model> {
    E::find().one(connection).await?.context("using the server left a row")
}

async fn insert<E, A>(connection: &DatabaseConnection, rows: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + Send,
{
    let mut rows = rows
        .into_iter()
        .map(|row| row.into_active_model().reset_all())
        .peekable();
    while rows.peek().is_some() {
        let chunk: Vec<A> = rows.by_ref().take(200).collect();
        E::insert_many(chunk).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// The steps that the database would take, whatever the values.
async fn explain(connection: &DatabaseConnection, kind: Kind, statement: &str) -> Result<Vec<String>> {
    let rows = match kind {
        Kind::Sqlite => {
            let question = format!("EXPLAIN QUERY PLAN {statement}");
            connection
                .query_all_raw(sea_orm::Statement::from_string(
                    connection.get_database_backend(),
                    question,
                ))
                .await?
        }
        Kind::Postgres => {
            let values = (1..=1000)
                .take_while(|number| statement.contains(&format!("${number}")))
                .count();
            let nulls = vec!["NULL"; values].join(", ");
            let arguments = if values == 0 {
                String::new()
            } else {
                format!("({nulls})")
            };
            connection
                .execute_unprepared("SET plan_cache_mode = force_generic_plan")
                .await?;
            connection
                .execute_unprepared(&format!("PREPARE explained AS {statement}"))
                .await?;
            let question = format!("EXPLAIN (COSTS OFF) EXECUTE explained{arguments}");
            let rows = connection
                .query_all_raw(sea_orm::Statement::from_string(
                    connection.get_database_backend(),
                    question,
                ))
                .await?;
            connection.execute_unprepared("DEALLOCATE explained").await?;
            rows
        }
    };
    let column = if kind == Kind::Sqlite { 3 } else { 0 };
    rows.iter().map(|row| Ok(row.try_get_by_index(column)?)).collect()
}

/// `Seq Scan on message` (Postgres), `SCAN message` (SQLite).
fn reads_whole(step: &str) -> bool {
    let words: Vec<&str> = step.split_whitespace().collect();
    let table = words
        .windows(3)
        .find(|three| three[0] == "Scan" && three[1] == "on")
        .filter(|_| words.contains(&"Seq"))
        .map(|three| three[2])
        .or_else(|| words.windows(2).find(|two| two[0] == "SCAN").map(|two| two[1]));
    table.is_some_and(|table| LARGE.contains(&table))
}
