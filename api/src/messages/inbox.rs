//! Incoming messages come in here.
//!
//! **Invariant:** WhatsApp is told that a message arrived only after it is stored ([`EngineEvent::commit`]); what comes
//! twice is stored once.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::{DeviceId, MessageId, event, message};
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, sea_query::Expr};
use serde_json::json;
use tracing::Instrument;

use super::{content, outbox::status_event};
use crate::{
    chats::{self, ChatTouch, types::phone_of},
    clock::{Clock, new_id},
    devices::LeasedDevice,
    engine::{EngineEvent, EventKind, IncomingContent, IncomingMessage, LinkPreview, Text},
    events::{EventLog, NewEvent},
    store::{Batcher, Batchers, Stopped, Store, TenantScope, by_tenant, is_taken, until_written},
    telemetry::spans,
    tenants::{Profile, Profiles, Quota},
};

struct Item {
    lease: LeasedDevice,
    event: EngineEvent,
}

/// Takes incoming messages. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    batchers: Batchers<Item, ()>,
}

impl Inbox {
    /// Starts the task that writes.
    pub fn start(store: &Store, clock: &Clock, events: &EventLog, profiles: &Profiles) -> Self {
        let batcher = || Self::batcher(store.clone(), clock.clone(), events.clone(), profiles.clone());
        Self {
            batchers: Batchers::start(store, batcher),
        }
    }

    fn batcher(store: Store, clock: Clock, events: EventLog, profiles: Profiles) -> Batcher<Item, ()> {
        // WhatsApp's client holds up a chat until its message is stored, so nothing lingers: while one commit runs, the
        // next batch fills.
        Batcher::start(512, Duration::ZERO, move |items: Vec<Item>| {
            let (store, clock, events) = (store.clone(), clock.clone(), events.clone());
            let profiles = profiles.clone();
            async move {
                let count = items.len();
                for (tenant_id, items) in by_tenant(items, |item| item.lease.tenant()) {
                    let span = spans::message_receive(tenant_id, items.len());
                    let written = until_written(&store, || write(&store, &clock, &events, &profiles, &items));
                    match written.instrument(span.clone()).await {
                        Ok(()) => items.into_iter().for_each(|item| item.event.commit()),
                        // Dropped uncommitted: WhatsApp delivers them again on the next connection.
                        Err(error) => {
                            spans::failed(&span, "DATABASE");
                            tracing::error!(%error, tenant = %tenant_id, "could not store incoming messages");
                        }
                    }
                }
                vec![(); count]
            }
        })
    }

    /// Queues an event of kind `Incoming`; the order of one device's messages is kept.
    pub async fn tell(&self, lease: LeasedDevice, event: EngineEvent) -> Result<(), Stopped> {
        let batcher = self.batchers.of(lease.id());
        batcher.enqueue(Item { lease, event }).await.map(|_| ())
    }

    /// Waits until everything that was told before is written.
    pub async fn flushed(&self) {
        self.batchers.flushed().await;
    }
}

/// What makes an incoming message the same as one that came before.
type Identity = (DeviceId, String, String);

/// Stores what is new. That hardly anything comes twice is taken for granted: only when the database says otherwise is it
/// asked what it has.
async fn write(
    store: &Store,
    clock: &Clock,
    events: &EventLog,
    profiles: &Profiles,
    items: &[Item],
) -> Result<(), DbErr> {
    let Some(first) = items.first() else { return Ok(()) };
    let profile = profiles.get(first.lease.tenant()).await?;
    let scope = store.scope(&first.lease);
    let now = clock.now();
    let stored = match insert(&scope, now, events, profile.as_ref(), items, HashSet::new()).await {
        Err(error) if is_taken(&error) => {
            let known = known(&scope, items).await?;
            insert(&scope, now, events, profile.as_ref(), items, known).await?
        }
        outcome => outcome?,
    };
    super::count(message::Status::Received, stored);
    Ok(())
}

/// Stores those that were not `seen`, each once; answers how many. Nothing is stored if one of them was there before.
async fn insert(
    scope: &TenantScope,
    now: DateTime<Utc>,
    events: &EventLog,
    profile: Option<&Arc<Profile>>,
    items: &[Item],
    mut seen: HashSet<Identity>,
) -> Result<usize, DbErr> {
    let fresh: Vec<(MessageId, &Item, &IncomingMessage)> = items
        .iter()
        .filter_map(|item| Some((item, incoming(item)?)))
        .filter(|(item, message)| seen.insert(identity(item.lease.id(), message)))
        .map(|(item, message)| (new_id(), item, message))
        .collect();
    if fresh.is_empty() {
        return Ok(0);
    }
    let tx = scope.begin().await?;
    let touches: Vec<ChatTouch> = fresh
        .iter()
        .map(|(id, item, message)| ChatTouch {
            device_id: item.lease.id(),
            jid: message.chat.clone(),
            // In a group the push name is a participant's, in one's own messages it is one's own.
            name: message
                .push_name
                .clone()
                .filter(|name| !message.is_group && !message.from_me && !name.is_empty()),
            message_id: *id,
            at: now,
            unread: !message.from_me,
        })
        .collect();
    let chats = chats::touch(&tx, &touches).await?;
    let mut rows = Vec::with_capacity(fresh.len());
    for (id, item, message) in fresh {
        let chat_id = chats
            .get(&(item.lease.id(), message.chat.clone()))
            .ok_or(DbErr::RecordNotInserted)?;
        rows.push(new_row(id, &item.lease, *chat_id, message, now));
    }
    let told: Vec<NewEvent> = rows.iter().map(received_event).collect();
    let inserts = rows
        .iter()
        .cloned()
        .map(|row| message::ActiveModel::from(row).reset_all())
        .collect();
    tx.insert_many::<message::Entity, message::ActiveModel>(inserts).await?;
    if let Some(profile) = profile {
        let received = rows
            .iter()
            .filter(|row| row.direction == message::Direction::In)
            .count();
        Quota::new(Arc::clone(profile), now)
            .note_received(&tx, received)
            .await?;
    }
    events.commit(tx, told).await?;
    Ok(rows.len())
}

fn incoming(item: &Item) -> Option<&IncomingMessage> {
    match &item.event.kind {
        EventKind::Incoming(message) => Some(message),
        _ => None,
    }
}

fn identity(device_id: DeviceId, message: &IncomingMessage) -> Identity {
    (device_id, message.whatsapp_id.clone(), message.sender.clone())
}

/// Which of these were stored before.
async fn known(scope: &TenantScope, items: &[Item]) -> Result<HashSet<Identity>, DbErr> {
    use message::Column;
    let mut heard: HashMap<DeviceId, Vec<&str>> = HashMap::new();
    for item in items {
        if let Some(message) = incoming(item) {
            heard.entry(item.lease.id()).or_default().push(&message.whatsapp_id);
        }
    }
    let columns = [Column::DeviceId, Column::WhatsappId, Column::SenderJid].map(Expr::col);
    let mut known = HashSet::new();
    for (device_id, ids) in heard {
        let rows: Vec<Identity> = scope
            .find::<message::Entity>()
            .filter(Column::DeviceId.eq(device_id))
            .among(Column::WhatsappId, ids)
            .tuples(columns.clone())
            .await?;
        known.extend(rows);
    }
    Ok(known)
}

fn new_row(
    id: MessageId,
    lease: &LeasedDevice,
    chat_id: entity::ChatId,
    incoming: &IncomingMessage,
    now: DateTime<Utc>,
) -> message::Model {
    let (kind, content, body) = content_of(&incoming.content);
    let e164 = |digits: &Option<String>| digits.as_ref().map(|digits| format!("+{digits}"));
    let (direction, status) = if incoming.from_me {
        (message::Direction::Out, message::Status::Sent)
    } else {
        (message::Direction::In, message::Status::Received)
    };
    message::Model {
        id,
        tenant_id: lease.tenant(),
        device_id: lease.id(),
        chat_id,
        whatsapp_id: incoming.whatsapp_id.clone(),
        direction,
        sender_jid: incoming.sender.clone(),
        sender_phone: e164(&incoming.sender_phone).or_else(|| phone_of(&incoming.sender)),
        sender_name: incoming.push_name.clone().map(|name| name.chars().take(255).collect()),
        recipient_jid: incoming.from_me.then(|| incoming.chat.clone()),
        recipient_phone: if incoming.from_me {
            e164(&incoming.chat_phone)
        } else {
            None
        },
        kind,
        content,
        body,
        status,
        priority: message::Priority::Interactive,
        attempts: 0,
        error_code: None,
        error_message: None,
        error_number: None,
        idempotency_key: None,
        created_at: now,
        sending_at: None,
        sent_at: Some(incoming.at),
        delivered_at: None,
        read_at: None,
        played_at: None,
        ended_at: None,
    }
}

fn content_of(incoming: &IncomingContent) -> (message::Kind, serde_json::Value, Option<String>) {
    // Postgres stores every character but U+0000.
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    match incoming {
        IncomingContent::Text(text) => {
            let link_preview = text.link_preview.as_ref().map(|preview| LinkPreview {
                url: clean(&preview.url),
                title: clean(&preview.title),
                description: preview.description.as_deref().map(clean),
                thumbnail: preview.thumbnail.clone(),
            });
            let text = Text {
                body: clean(&text.body),
                link_preview,
                // Their addresses are digits.
                mentions: text.mentions.clone(),
                mentions_everyone: text.mentions_everyone,
            };
            (message::Kind::Text, content::of_text(&text), Some(text.body))
        }
        IncomingContent::Other { kind, description } => {
            let description = clean(description);
            (
                kind_named(kind),
                json!({ "description": description }),
                Some(description).filter(|text| !text.is_empty()),
            )
        }
    }
}

fn kind_named(name: &str) -> message::Kind {
    use sea_orm::ActiveEnum;
    message::Kind::try_from_value(&name.to_owned()).unwrap_or(message::Kind::Other)
}

fn received_event(row: &message::Model) -> NewEvent {
    if row.direction == message::Direction::Out {
        return status_event(row);
    }
    let null = serde_json::Value::Null;
    NewEvent::of_message(event::Type::MessageReceived, row.device_id, row.chat_id, row.id, null)
}
