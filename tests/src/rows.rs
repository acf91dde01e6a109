//! Rows written straight into the database: more than the API could make in a test's time, or what only WhatsApp makes.

use anyhow::{Context, Result};
use entity::{
    ChatId, DeviceId, MessageId, TenantId, address_pair, audit_entry, chat, event, message, message_queue, quota_usage,
    receipt,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PaginatorTrait};
use serde_json::json;

use crate::{Kind, TestDatabase};

/// What belongs to a device of a tenant when it has written and heard something: one row of each kind, and `messages`
/// messages.
pub async fn conversation(database: &TestDatabase, tenant: &str, device: &str, messages: u32) -> Result<()> {
    let connection = database.connect().await?;
    let tenant_id: TenantId = tenant.parse()?;
    let device_id: DeviceId = device.parse()?;
    let now = api::clock::Clock::system().now();
    let row = somebody(tenant_id, device_id, now);
    let chat_id = row.id;
    row.into_active_model().reset_all().insert(&connection).await?;
    let first = incoming(
        tenant_id,
        device_id,
        chat_id,
        "FIRST",
        "Good morning, \"all\"\nof you",
        now,
    );
    first
        .clone()
        .into_active_model()
        .reset_all()
        .insert(&connection)
        .await?;
    let row = receipt::Model {
        id: api::clock::new_id(),
        tenant_id,
        message_id: first.id,
        participant_jid: "6281200000003@s.whatsapp.net".to_owned(),
        participant_phone: None,
        delivered_at: Some(now),
        read_at: None,
        played_at: None,
    };
    row.into_active_model().reset_all().insert(&connection).await?;
    let row = message_queue::Model {
        tenant_id,
        message_id: first.id,
        device_id,
        priority: first.priority,
        sending: false,
        next_attempt_at: None,
    };
    row.into_active_model().reset_all().insert(&connection).await?;
    let row = address_pair::Model {
        id: api::clock::new_id(),
        tenant_id,
        device_id,
        lid: "1@lid".to_owned(),
        phone_jid: None,
    };
    row.into_active_model().reset_all().insert(&connection).await?;
    let row = event::Model {
        tenant_id,
        sequence: 1_000_000,
        r#type: event::Type::MessageReceived,
        at: now,
        device_id: Some(device_id),
        chat_id: Some(chat_id),
        message_id: Some(first.id),
        data: json!(null),
    };
    row.into_active_model().reset_all().insert(&connection).await?;
    if messages > 1 {
        connection
            .execute_unprepared(&multiply(database.kind(), first.id, messages - 1))
            .await?;
    }
    Ok(connection.close().await?)
}

/// A chat with one message in every status, all from the device; written past what queues them.
pub async fn messages_in_every_status(database: &TestDatabase, tenant: &str, device: &str) -> Result<()> {
    let connection = database.connect().await?;
    let tenant_id: TenantId = tenant.parse()?;
    let device_id: DeviceId = device.parse()?;
    let now = api::clock::Clock::system().now();
    let chat = somebody(tenant_id, device_id, now);
    let chat_id = chat.id;
    chat.into_active_model().reset_all().insert(&connection).await?;
    let rows = message::Status::iter().map(|status| {
        let name = format!("{status:?}");
        let row = message::Model {
            status,
            direction: message::Direction::Out,
            ..incoming(tenant_id, device_id, chat_id, &name, &name, now)
        };
        row.into_active_model().reset_all()
    });
    message::Entity::insert_many(rows)
        .exec_without_returning(&connection)
        .await?;
    Ok(connection.close().await?)
}

fn somebody(tenant_id: TenantId, device_id: DeviceId, at: sea_orm::prelude::DateTimeUtc) -> chat::Model {
    chat::Model {
        id: api::clock::new_id(),
        tenant_id,
        device_id,
        jid: "6281200000002@s.whatsapp.net".to_owned(),
        kind: chat::Kind::Direct,
        name: Some("Somebody".to_owned()),
        phone_number: Some("+6281200000002".to_owned()),
        unread_count: 0,
        last_message_id: None,
        last_message_at: Some(at),
        created_at: at,
    }
}

/// A text that came in.
pub(crate) fn incoming(
    tenant_id: TenantId,
    device_id: DeviceId,
    chat_id: ChatId,
    whatsapp_id: &str,
    body: &str,
    at: sea_orm::prelude::DateTimeUtc,
) -> message::Model {
    message::Model {
        id: api::clock::new_id(),
        tenant_id,
        device_id,
        chat_id,
        whatsapp_id: whatsapp_id.to_owned(),
        direction: message::Direction::In,
        sender_jid: "6281200000002@s.whatsapp.net".to_owned(),
        sender_phone: Some("+6281200000002".to_owned()),
        sender_name: Some("Somebody".to_owned()),
        recipient_jid: None,
        recipient_phone: None,
        kind: message::Kind::Text,
        content: json!({ "text": body }),
        body: Some(body.to_owned()),
        status: message::Status::Received,
        priority: message::Priority::Interactive,
        attempts: 0,
        error_code: None,
        error_message: None,
        error_number: None,
        idempotency_key: None,
        created_at: at,
        sending_at: None,
        sent_at: Some(at),
        delivered_at: None,
        read_at: None,
        played_at: None,
        ended_at: None,
    }
}

/// An entry of the audit log.
pub(crate) fn entry(tenant_id: TenantId, at: sea_orm::prelude::DateTimeUtc) -> audit_entry::Model {
    audit_entry::Model {
        id: api::clock::new_id(),
        tenant_id: Some(tenant_id),
        at,
        actor_kind: audit_entry::ActorKind::System,
        actor_id: None,
        actor_name: None,
        address: None,
        user_agent: None,
        action: "other".to_owned(),
        object_id: None,
        object_name: None,
        before: None,
        after: None,
        grant_id: None,
    }
}

/// A log of about four megabytes per thousand entries: more than fits between a server and a client that does not read.
pub async fn long_log(database: &TestDatabase, tenant: &str, entries: usize) -> Result<()> {
    let connection = database.connect().await?;
    let tenant_id: TenantId = tenant.parse()?;
    let now = api::clock::Clock::system().now();
    let long = || audit_entry::Model {
        after: Some(json!({ "text": "x".repeat(4_000) })),
        ..entry(tenant_id, now)
    };
    for _ in 0..entries.div_ceil(500) {
        let rows = (0..500).map(|_| long().into_active_model().reset_all());
        audit_entry::Entity::insert_many(rows)
            .exec_without_returning(&connection)
            .await?;
    }
    Ok(connection.close().await?)
}

/// A day's figure of a tenant.
pub async fn figure(database: &TestDatabase, tenant: &str, meter: &str, window: i64, used: i64) -> Result<()> {
    let connection = database.connect().await?;
    let row = quota_usage::Model {
        tenant_id: tenant.parse()?,
        subject: String::new(),
        meter: meter.to_owned(),
        window,
        used,
        warned: 0,
    };
    row.into_active_model().reset_all().insert(&connection).await?;
    Ok(connection.close().await?)
}

/// Where the queue says something else than its messages: messages that wait and have no place, places of messages that
/// do not wait, places that are wrong about whether the message is on its way.
pub async fn faults_of_queue(database: &TestDatabase) -> Result<Vec<String>> {
    let connection = database.connect().await?;
    let faults = "SELECT m.status, q.sending FROM message AS m
        LEFT JOIN message_queue AS q ON q.tenant_id = m.tenant_id AND q.message_id = m.id
        WHERE (m.status IN ('queued', 'sending')) <> (q.message_id IS NOT NULL)
           OR (m.status = 'sending') <> q.sending";
    let backend = connection.get_database_backend();
    let rows = connection
        .query_all_raw(sea_orm::Statement::from_string(backend, faults))
        .await?;
    connection.close().await?;
    rows.iter()
        .map(|row| {
            let status: String = row.try_get_by_index(0)?;
            let sending: Option<bool> = row.try_get_by_index(1)?;
            Ok(format!("{status} with {sending:?}"))
        })
        .collect()
}

/// How many messages there are, whoever they belong to.
pub async fn count_messages(database: &TestDatabase) -> Result<u64> {
    let connection = database.connect().await?;
    let count = message::Entity::find().count(&connection).await?;
    connection.close().await?;
    Ok(count)
}

/// How many places the queue has.
pub async fn count_queue(database: &TestDatabase) -> Result<u64> {
    let connection = database.connect().await?;
    let count = message_queue::Entity::find().count(&connection).await?;
    connection.close().await?;
    Ok(count)
}

/// Every table with a tenant's column, and how many rows of the tenant it has.
pub async fn rows_of_tenant(database: &TestDatabase, tenant: &str) -> Result<Vec<(String, i64)>> {
    let connection = database.connect().await?;
    let backend = connection.get_database_backend();
    let tables = match database.kind() {
        Kind::Sqlite => {
            "SELECT m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY m.name"
        }
        Kind::Postgres => {
            "SELECT table_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name"
        }
    };
    let tables = connection
        .query_all_raw(sea_orm::Statement::from_string(backend, tables))
        .await?;
    let id: TenantId = tenant.parse()?;
    let id = literal(database.kind(), id.0);
    let mut counts = Vec::new();
    for table in tables {
        let name: String = table.try_get_by_index(0)?;
        let count = format!("SELECT COUNT(*) FROM {name} WHERE tenant_id = {id}");
        let row = connection
            .query_one_raw(sea_orm::Statement::from_string(backend, count))
            .await?
            .context("no count")?;
        counts.push((name, row.try_get_by_index(0)?));
    }
    connection.close().await?;
    Ok(counts)
}

/// An id as it stands in a statement.
fn literal(kind: Kind, id: sea_orm::prelude::Uuid) -> String {
    match kind {
        Kind::Sqlite => format!("x'{}'", id.simple()),
        Kind::Postgres => format!("'{id}'"),
    }
}

/// Copies a message; the copies have ids of their own.
fn multiply(kind: Kind, first: MessageId, copies: u32) -> String {
    let columns: Vec<&str> = message::Column::iter().map(|column| column.as_str()).collect();
    let random = match kind {
        Kind::Sqlite => "randomblob(16)",
        Kind::Postgres => "gen_random_uuid()",
    };
    let values: Vec<&str> = columns
        .iter()
        .map(|column| match *column {
            "id" => random,
            "whatsapp_id" => "'COPY' || n",
            other => other,
        })
        .collect();
    format!(
        "INSERT INTO message ({}) WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < \
         {copies}) SELECT {} FROM series, message WHERE id = {}",
        columns.join(", "),
        values.join(", "),
        literal(kind, first.0),
    )
}
