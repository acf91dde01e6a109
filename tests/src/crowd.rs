//! A tenant that has grown, and a platform that has: thousands of rows of everything that lists show.

use anyhow::{Context, Result};
use entity::{DeviceId, TenantId, audit_entry, chat, device, event, event_sequence, message, tenant};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, prelude::DateTimeUtc,
};
use serde_json::json;

use crate::{
    TestDatabase,
    rows::{entry, incoming},
};

/// Whose rows they are.
struct Owner {
    tenant: TenantId,
    device: DeviceId,
    now: DateTimeUtc,
    count: u16,
}

/// Makes so many devices, chats of the device that is given and counts among them, messages in the chat that is on top,
/// events that tell of these, entries of the audit log and other tenants.
///
/// The chat with number 42 is that of `+6281200000042`. What came last has the highest number, but devices, messages and
/// tenants begin with 1.
pub async fn crowd(database: &TestDatabase, tenant: &str, device: &str, count: u16) -> Result<()> {
    let connection = database.connect().await?;
    let owner = Owner {
        tenant: tenant.parse()?,
        device: device.parse()?,
        now: api::clock::Clock::system().now(),
        count,
    };
    let numbers: Vec<u16> = (1..=count).collect();
    let of = |number: &u16| owner.device(*number);
    insert(&connection, numbers.iter().skip(1).map(of).collect()).await?;
    let chats: Vec<chat::Model> = numbers.iter().map(|number| owner.chat(*number)).collect();
    let top = chats.last().context("nobody asked for any")?.clone();
    insert(&connection, chats).await?;
    let messages: Vec<message::Model> = numbers.iter().map(|number| owner.message(&top, *number)).collect();
    insert(&connection, messages.clone()).await?;
    insert(&connection, numbers.iter().map(|number| owner.entry(*number)).collect()).await?;
    insert(
        &connection,
        numbers.iter().map(|number| owner.tenant(*number)).collect(),
    )
    .await?;
    // The log goes on behind what it has.
    let last = event_sequence::Entity::find_by_id(owner.tenant)
        .one(&connection)
        .await?;
    let last = last.context("the tenant has no events")?;
    let events = messages.iter().zip(last.last + 1..);
    let events = events.map(|(message, sequence)| event::Model {
        tenant_id: owner.tenant,
        sequence,
        r#type: event::Type::MessageReceived,
        at: message.created_at,
        device_id: Some(message.device_id),
        chat_id: Some(message.chat_id),
        message_id: Some(message.id),
        data: json!({}),
    });
    insert(&connection, events.collect()).await?;
    let grown = last.last + i64::from(count);
    let mut last = last.into_active_model();
    last.last = Set(grown);
    last.update(&connection).await?;
    Ok(connection.close().await?)
}

impl Owner {
    /// The last of them is of now.
    fn at(&self, number: u16) -> DateTimeUtc {
        self.now - chrono::Duration::minutes(i64::from(self.count - number))
    }

    fn device(&self, number: u16) -> device::Model {
        device::Model {
            id: api::clock::new_id(),
            tenant_id: self.tenant,
            key: None,
            name: format!("Device {number:05}"),
            remark: None,
            tags: json!([]),
            status: device::Status::Created,
            status_reason: None,
            status_since: self.now,
            wanted: false,
            linked: false,
            phone_number: None,
            push_name: None,
            jid: None,
            lid: None,
            platform: None,
            connection_attempts: 0,
            last_connected_at: None,
            last_activity_at: None,
            lease_node: None,
            lease_fence: 0,
            lease_expires_at: None,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    fn chat(&self, number: u16) -> chat::Model {
        chat::Model {
            id: api::clock::new_id(),
            tenant_id: self.tenant,
            device_id: self.device,
            jid: format!("62812{number:08}@s.whatsapp.net"),
            kind: chat::Kind::Direct,
            name: Some(format!("Chat {number:05}")),
            phone_number: Some(format!("+62812{number:08}")),
            unread_count: 0,
            last_message_id: None,
            last_message_at: Some(self.at(number)),
            created_at: self.now,
        }
    }

    /// Some have one line, some many.
    fn message(&self, chat: &chat::Model, number: u16) -> message::Model {
        let body = format!("Message {number:05}{}", " and so on".repeat(usize::from(number % 23)));
        let id = format!("CROWD{number}");
        incoming(self.tenant, self.device, chat.id, &id, &body, self.at(number))
    }

    fn entry(&self, number: u16) -> audit_entry::Model {
        audit_entry::Model {
            object_name: Some(format!("Entry {number:05}")),
            ..entry(self.tenant, self.at(number))
        }
    }

    fn tenant(&self, number: u16) -> tenant::Model {
        tenant::Model {
            id: api::clock::new_id(),
            name: format!("Tenant {number:05}"),
            slug: format!("tenant-{number:05}"),
            status: tenant::Status::Active,
            default_country: "ID".to_owned(),
            default_language: "id".to_owned(),
            time_zone: "Asia/Jakarta".to_owned(),
            plan_id: None,
            limit_overrides: json!({}),
            suspended_at: None,
            suspension_reason: None,
            created_at: self.now,
            updated_at: self.now,
        }
    }
}

async fn insert<M>(connection: &impl ConnectionTrait, models: Vec<M>) -> Result<()>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    <M::Entity as EntityTrait>::ActiveModel: Send,
{
    for part in models.chunks(500) {
        let rows = part.iter().map(|model| model.clone().into_active_model().reset_all());
        <M::Entity as EntityTrait>::insert_many(rows)
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}
