//! The queue of outgoing messages: accepted here, claimed in `claims.rs`; what becomes of a claim is in
//! `attempts.rs`.
//!
//! Accepting is group commit: requests that arrive together share a transaction.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, event, message};
use sea_orm::{ActiveEnum, DbErr};
use serde_json::json;

use super::{content, queue, types::Recipient};
use crate::{
    chats::{self, ChatTouch},
    clock::{Clock, new_id},
    engine::{self, Text},
    events::{EventLog, NewEvent},
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    store::{Batcher, Reach, TenantScope, TenantTx, is_taken},
    tenants::{
        Meter, Profiles, Quota,
        quota::{Budget, Exceeded, Reservation},
    },
};

/// What a message counts for when it is accepted.
pub const METERS: [Meter; 2] = [Meter::MessagesPerDay, Meter::MessagesPerMonth];

/// A message that somebody wants to send: parsed, allowed, not stored yet.
#[derive(Clone, Debug)]
pub struct Draft {
    pub device_id: DeviceId,
    /// The account's own address.
    pub sender_jid: String,
    pub sender_phone: Option<String>,
    pub recipient: Recipient,
    pub text: Text,
    pub priority: message::Priority,
    pub idempotency_key: Option<String>,
    /// What the API token that sends may use by itself.
    pub budget: Option<Arc<Budget>>,
}

/// Drafts that may share a transaction: of one reach, and paid from one budget.
type Payer = (Reach, Option<String>);

/// Accepts messages. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    batcher: Batcher<(TenantScope, Draft), Result<message::Model, Denial>>,
}

/// Why a draft was not stored.
#[derive(Clone, Debug)]
enum Denial {
    /// The tenant or its token has used up what it may send.
    Quota(Exceeded),
    /// A message that the scope does not reach has the same idempotency key.
    KeyTaken,
    /// The database failed.
    Database(Arc<DbErr>),
}

impl From<DbErr> for Denial {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Quota(exceeded) => UserError::from(exceeded).into(),
            Denial::KeyTaken => {
                let message = "A message of a device that this token does not reach has this idempotency key.";
                UserError::new(ErrorCode::Conflict, message).at("idempotencyKey").into()
            }
            Denial::Database(error) => Self::Fault(GqlError::internal(error.to_string())),
        }
    }
}

/// What the task that writes works with.
#[derive(Clone)]
struct Writer {
    clock: Clock,
    events: EventLog,
    profiles: Profiles,
}

impl Outbox {
    /// Starts the task that writes.
    pub fn start(clock: Clock, events: EventLog, profiles: Profiles) -> Self {
        let writer = Writer {
            clock,
            events,
            profiles,
        };
        let batcher = Batcher::start(256, Duration::ZERO, move |drafts: Vec<(TenantScope, Draft)>| {
            let writer = writer.clone();
            async move { accept_all(&writer, drafts).await }
        });
        Self { batcher }
    }

    /// Stores a message as QUEUED; it is durable when this returns. A draft whose idempotency key was used before
    /// answers the first message, and nothing is stored. What is over the quota is refused, each draft by itself.
    pub async fn accept(&self, scope: TenantScope, draft: Draft) -> Result<message::Model, Refusal> {
        Ok(self.batcher.submit((scope, draft)).await??)
    }
}

async fn accept_all(writer: &Writer, drafts: Vec<(TenantScope, Draft)>) -> Vec<Result<message::Model, Denial>> {
    let mut payers: HashMap<Payer, (TenantScope, Vec<(usize, Draft)>)> = HashMap::new();
    let count = drafts.len();
    for (position, (scope, draft)) in drafts.into_iter().enumerate() {
        let budget = draft.budget.as_ref().map(|budget| budget.subject().to_owned());
        let payer = (scope.reach().clone(), budget);
        let drafts = payers.entry(payer).or_insert_with(|| (scope, Vec::new()));
        drafts.1.push((position, draft));
    }
    let mut results: Vec<_> = (0..count).map(|_| None).collect();
    for (scope, drafts) in payers.into_values() {
        let (positions, drafts): (Vec<usize>, Vec<Draft>) = drafts.into_iter().unzip();
        match accept_batch(writer, &scope, &drafts).await {
            Ok(rows) => {
                for (position, row) in positions.into_iter().zip(rows) {
                    results[position] = Some(row);
                }
            }
            // One draft may spoil the batch, such as one whose device was deleted meanwhile: try them one by one. The only
            // thing that may be taken here is an idempotency key.
            Err(error) if drafts.len() > 1 || is_taken(&error) => {
                for (position, draft) in positions.into_iter().zip(drafts) {
                    results[position] = Some(accept_one(writer, &scope, draft).await);
                }
            }
            Err(error) => results[positions[0]] = Some(Err(error.into())),
        }
    }
    let missing = || Err(DbErr::RecordNotInserted.into());
    results
        .into_iter()
        .map(|result| result.unwrap_or_else(missing))
        .collect()
}

async fn accept_one(writer: &Writer, scope: &TenantScope, draft: Draft) -> Result<message::Model, Denial> {
    let drafts = [draft];
    let rows = match accept_batch(writer, scope, &drafts).await {
        // Another node stored a message with this key a moment ago: now it is found, unless it is out of reach.
        Err(error) if is_taken(&error) => match accept_batch(writer, scope, &drafts).await {
            Err(error) if is_taken(&error) => return Err(Denial::KeyTaken),
            result => result?,
        },
        result => result?,
    };
    rows.into_iter()
        .next()
        .unwrap_or_else(|| Err(DbErr::RecordNotInserted.into()))
}

/// Stores drafts of one payer in one transaction. Answers one row or refusal per draft, in their order.
async fn accept_batch(
    writer: &Writer,
    scope: &TenantScope,
    drafts: &[Draft],
) -> Result<Vec<Result<message::Model, Denial>>, DbErr> {
    let profile = writer.profiles.get(scope.tenant_id()).await?;
    let profile = profile.ok_or(DbErr::RecordNotInserted)?;
    let now = writer.clock.now();
    let tx = scope.begin().await?;
    let keys: Vec<&str> = drafts
        .iter()
        .filter_map(|draft| draft.idempotency_key.as_deref())
        .collect();
    let mut known: HashMap<String, message::Model> = HashMap::new();
    if !keys.is_empty() {
        let rows = tx
            .find::<message::Entity>()
            .among(message::Column::IdempotencyKey, keys)
            .all()
            .await?;
        known.extend(
            rows.into_iter()
                .filter_map(|row| Some((row.idempotency_key.clone()?, row))),
        );
    }
    // Which row answers each draft: one that was stored before, or the place of one that is stored now. Two drafts of
    // one batch may carry the same key: the second is answered with the first.
    let mut answers: Vec<Result<message::Model, usize>> = Vec::with_capacity(drafts.len());
    let mut fresh: Vec<(MessageId, &Draft)> = Vec::new();
    let mut fresh_by_key: HashMap<&str, usize> = HashMap::new();
    for draft in drafts {
        let key = draft.idempotency_key.as_deref();
        if let Some(row) = key.and_then(|key| known.get(key)) {
            answers.push(Ok(row.clone()));
        } else if let Some(place) = key.and_then(|key| fresh_by_key.get(key)) {
            answers.push(Err(*place));
        } else {
            if let Some(key) = key {
                fresh_by_key.insert(key, fresh.len());
            }
            answers.push(Err(fresh.len()));
            fresh.push((new_id(), draft));
        }
    }
    // Once for the whole batch. What is over the limit is refused from the end: first come, first served.
    let Reservation {
        granted,
        exceeded,
        warnings,
    } = Quota::new(profile, now)
        .within(drafts.first().and_then(|draft| draft.budget.clone()))
        .reserve_up_to(&tx, &METERS, fresh.len() as u64)
        .await?;
    fresh.truncate(usize::try_from(granted).unwrap_or(usize::MAX));
    let touches: Vec<ChatTouch> = fresh.iter().map(|(id, draft)| touch_of(*id, draft, now)).collect();
    let chats = if touches.is_empty() {
        HashMap::new()
    } else {
        chats::touch(&tx, &touches).await?
    };
    let mut rows = Vec::with_capacity(fresh.len());
    for (id, draft) in &fresh {
        let chat = chats.get(&(draft.device_id, draft.recipient.jid.clone()));
        let chat_id = *chat.ok_or(DbErr::RecordNotInserted)?;
        rows.push(new_row(&tx, *id, chat_id, draft, now));
    }
    let told: Vec<NewEvent> = rows.iter().map(status_event).chain(warnings).collect();
    let inserts: Vec<message::ActiveModel> = rows.iter().cloned().map(Into::into).collect();
    let inserts = inserts.into_iter().map(sea_orm::ActiveModelTrait::reset_all).collect();
    tx.insert_many::<message::Entity, message::ActiveModel>(inserts).await?;
    queue::enter(&tx, &rows).await?;
    writer.events.commit(tx, told).await?;
    super::count(message::Status::Queued, rows.len());
    let refused = || exceeded.map_or_else(|| DbErr::RecordNotInserted.into(), Denial::Quota);
    Ok(answers
        .into_iter()
        .map(|answer| match answer {
            Ok(row) => Ok(row),
            Err(place) => rows.get(place).cloned().ok_or_else(refused),
        })
        .collect())
}

fn touch_of(message_id: MessageId, draft: &Draft, at: DateTime<Utc>) -> ChatTouch {
    let jid = draft.recipient.jid.clone();
    ChatTouch {
        device_id: draft.device_id,
        jid,
        name: None,
        message_id,
        at,
        unread: false,
    }
}

fn new_row(tx: &TenantTx, id: MessageId, chat_id: ChatId, draft: &Draft, now: DateTime<Utc>) -> message::Model {
    message::Model {
        id,
        tenant_id: tx.tenant_id(),
        device_id: draft.device_id,
        chat_id,
        whatsapp_id: engine::new_message_id(),
        direction: message::Direction::Out,
        sender_jid: draft.sender_jid.clone(),
        sender_phone: draft.sender_phone.clone(),
        sender_name: None,
        recipient_jid: Some(draft.recipient.jid.clone()),
        recipient_phone: draft.recipient.phone.clone(),
        kind: message::Kind::Text,
        content: content::of_text(&draft.text),
        body: Some(draft.text.body.clone()),
        status: message::Status::Queued,
        priority: draft.priority,
        attempts: 0,
        error_code: None,
        error_message: None,
        error_number: None,
        idempotency_key: draft.idempotency_key.clone(),
        created_at: now,
        sending_at: None,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        played_at: None,
        ended_at: None,
    }
}

/// The event that tells of a message's status as it stands in the row.
pub fn status_event(row: &message::Model) -> NewEvent {
    reached_event(row.device_id, row.chat_id, row.id, row.status)
}

/// The event that tells of the status that a message has reached.
pub fn reached_event(device_id: DeviceId, chat_id: ChatId, id: MessageId, status: message::Status) -> NewEvent {
    let data = json!({ "status": status.to_value() });
    NewEvent::of_message(event::Type::MessageStatus, device_id, chat_id, id, data)
}
