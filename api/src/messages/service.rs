//! What people do with messages.

use std::{sync::Arc, time::Duration};

use entity::{ChatId, DeviceId, MessageId, chat, event, message};
use sea_orm::ColumnTrait;

use super::{
    LinkPreviews, Outbox, Senders, mentions,
    outbox::{Draft, METERS, status_event},
    queries, queue,
    types::{Recipient, has_reached, parse_idempotency_key, parse_jid, parse_person, parse_text},
    waiting::Waiting,
};
use crate::{
    chats,
    clock::Clock,
    devices,
    engine::{self, LinkPreview, Text},
    events::{EventLog, NewEvent},
    graphql::{ErrorCode, Refusal, UserError},
    store::{Store, TenantScope},
    telemetry::spans,
    tenants::{Permission, Principal, Profile, Quota, settings},
};

/// The longest that a call waits for a message to get somewhere.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How many messages of a chat are reported to WhatsApp as read at once.
const MARKED_AT_ONCE: u64 = 100;

/// Messages of every tenant, as far as the caller may see and send them. Cheap to clone.
#[derive(Clone)]
pub struct Messages {
    parts: Arc<Parts>,
}

struct Parts {
    store: Store,
    clock: Clock,
    events: EventLog,
    engine: engine::Handle,
    outbox: Outbox,
    senders: Senders,
    waiting: Waiting,
    previews: LinkPreviews,
}

/// Whom a message is for, as the caller wrote it.
#[derive(Clone, Debug)]
pub enum To {
    /// A phone number in any usual form.
    Phone(String),
    /// A WhatsApp address.
    Jid(String),
}

/// A message to send, as the caller wrote it.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub device_id: DeviceId,
    pub to: To,
    pub text: String,
    /// Whom it mentions; `None` leaves its placeholders alone.
    pub mentions: Option<Vec<To>>,
    pub mention_everyone: bool,
    /// Whether to show what the page behind its first link says.
    pub link_preview: bool,
    pub priority: message::Priority,
    pub idempotency_key: Option<String>,
    /// How far it shall get before the call answers.
    pub wait_for: message::Status,
    pub wait: Option<Duration>,
}

/// A message that was accepted, and what is to be said about it beside that.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub row: message::Model,
    /// It failed, or did not get where it should in time.
    pub remarks: Vec<UserError>,
}

impl Messages {
    /// Brings the parts together.
    pub fn new(
        store: Store,
        clock: Clock,
        events: EventLog,
        engine: engine::Handle,
        outbox: Outbox,
        senders: Senders,
        waiting: Waiting,
        previews: LinkPreviews,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                store,
                clock,
                events,
                engine,
                outbox,
                senders,
                waiting,
                previews,
            }),
        }
    }

    /// Accepts a message: it is durable and queued when this returns, and as far as the caller wanted when there was time.
    pub async fn send(&self, caller: &Principal, new: NewMessage) -> Result<Accepted, Refusal> {
        caller.require(Permission::Send)?;
        let scope = self.parts.store.scope(caller);
        let mut text = text(caller.profile(), new.text, new.mentions)?;
        let idempotency_key = parse_idempotency_key(new.idempotency_key)?;
        let recipient = recipient(caller.profile(), new.to)?;
        text.mentions_everyone = everyone(&recipient, new.mention_everyone)?;
        let patience = patience(new.wait)?;
        let device = devices::service::load(&scope, new.device_id)
            .await
            .map_err(|refusal| at(refusal, "deviceId"))?;
        if !device.linked {
            let message = "The device is not linked to a WhatsApp account. Link it first.";
            return Err(UserError::new(ErrorCode::NotLinked, message).at("deviceId").into());
        }
        if new.link_preview {
            text.link_preview = self.preview(&scope, &text.body, idempotency_key.as_deref()).await?;
        }
        let draft = Draft {
            device_id: device.id,
            sender_jid: device.jid.unwrap_or_default(),
            sender_phone: device.phone_number,
            recipient,
            text,
            priority: new.priority,
            idempotency_key,
            budget: caller.budget(),
        };
        let row = self.parts.outbox.accept(scope.clone(), draft).await?;
        spans::message_accepted(row.id);
        self.parts.senders.wake(row.device_id);
        self.wait(&scope, row, new.wait_for, patience).await
    }

    /// What is shown of a text's link. A call that is made again with its key is answered with the first message: nothing
    /// is fetched for it.
    async fn preview(
        &self,
        scope: &TenantScope,
        body: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Option<LinkPreview>, Refusal> {
        if let Some(key) = idempotency_key
            && queries::is_key_used(scope, key).await?
        {
            return Ok(None);
        }
        Ok(self.parts.previews.of(scope.tenant_id(), body).await)
    }

    /// Takes back a message that has not left yet.
    pub async fn cancel(&self, caller: &Principal, id: MessageId) -> Result<message::Model, Refusal> {
        use message::Column;
        caller.require(Permission::Send)?;
        let scope = self.parts.store.scope(caller);
        load(&scope, id).await?;
        let now = self.parts.clock.now();
        let tx = scope.begin().await?;
        let canceled = tx
            .update::<message::Entity>()
            .set(Column::Status, message::Status::Canceled)
            .set(Column::EndedAt, now)
            .filter(Column::Id.eq(id))
            // What was attempted once may have arrived: it can be revoked, not canceled.
            .filter(Column::Status.is_in([message::Status::Scheduled, message::Status::Queued]))
            .filter(Column::Attempts.eq(0))
            .returning()
            .await?;
        let Some(row) = canceled.into_iter().next() else {
            return Err(
                UserError::new(ErrorCode::Conflict, "The message is on its way already.")
                    .at("id")
                    .into(),
            );
        };
        queue::leave(&tx, [id]).await?;
        let quota = Quota::new(caller.profile().clone(), now);
        quota.release(&tx, &METERS, 1, row.created_at).await?;
        self.parts.events.commit(tx, vec![status_event(&row)]).await?;
        self.parts.waiting.changed(id);
        Ok(row)
    }

    /// Queues a failed message again, under the same WhatsApp id.
    pub async fn retry(&self, caller: &Principal, id: MessageId) -> Result<message::Model, Refusal> {
        use message::Column;
        caller.require(Permission::Send)?;
        let scope = self.parts.store.scope(caller);
        load(&scope, id).await?;
        let tx = scope.begin().await?;
        let queued = tx
            .update::<message::Entity>()
            .set(Column::Status, message::Status::Queued)
            .set(Column::EndedAt, None::<chrono::DateTime<chrono::Utc>>)
            .set(Column::ErrorCode, None::<String>)
            .set(Column::ErrorMessage, None::<String>)
            .set(Column::ErrorNumber, None::<i32>)
            .filter(Column::Id.eq(id))
            .filter(Column::Status.eq(message::Status::Failed))
            .returning()
            .await?;
        let Some(row) = queued.first() else {
            return Err(
                UserError::new(ErrorCode::Conflict, "Only a failed message can be tried again.")
                    .at("id")
                    .into(),
            );
        };
        queue::enter(&tx, &queued).await?;
        self.parts.events.commit(tx, vec![status_event(row)]).await?;
        self.parts.senders.wake(row.device_id);
        Ok(row.clone())
    }

    /// Marks a chat as read, here and, when the device is connected, at WhatsApp.
    pub async fn mark_chat_read(&self, caller: &Principal, id: ChatId) -> Result<chat::Model, Refusal> {
        caller.require(Permission::Send)?;
        let scope = self.parts.store.scope(caller);
        let found = chats::queries::find(&scope, id).await?;
        let chat = found.ok_or_else(|| UserError::not_found("chat").at("chatId"))?;
        if chat.unread_count == 0 {
            return Ok(chat);
        }
        let unread = u64::try_from(chat.unread_count).unwrap_or(0).min(MARKED_AT_ONCE);
        let messages = queries::newest_incoming(&scope, id, unread).await?;
        let tx = scope.begin().await?;
        let rows = tx
            .update::<chat::Entity>()
            .set(chat::Column::UnreadCount, 0)
            .filter(chat::Column::Id.eq(id))
            .returning()
            .await?;
        let read = rows
            .into_iter()
            .next()
            .ok_or_else(|| UserError::not_found("chat").at("chatId"))?;
        let told = NewEvent::of_chat(event::Type::ChatUpdated, read.device_id, read.id);
        self.parts.events.commit(tx, vec![told]).await?;
        self.report_read(&read, &messages).await;
        Ok(read)
    }

    /// Tells the senders that their messages were read. The chat is read all the same when that does not work now.
    async fn report_read(&self, chat: &chat::Model, messages: &[message::Model]) {
        let mut senders: Vec<(&str, Vec<String>)> = Vec::new();
        for message in messages {
            let sender = message.sender_jid.as_str();
            match senders.iter_mut().find(|(known, _)| *known == sender) {
                Some((_, ids)) => ids.push(message.whatsapp_id.clone()),
                None => senders.push((sender, vec![message.whatsapp_id.clone()])),
            }
        }
        for (sender, whatsapp_ids) in senders {
            let participant = (chat.kind == chat::Kind::Group).then_some(sender);
            let marked = self
                .parts
                .engine
                .mark_read(chat.device_id, &chat.jid, participant, &whatsapp_ids)
                .await;
            if let Err(error) = marked {
                tracing::debug!(device = %chat.device_id, %error, "could not tell WhatsApp that a chat was read");
            }
        }
    }

    async fn wait(
        &self,
        scope: &TenantScope,
        row: message::Model,
        wanted: message::Status,
        patience: Duration,
    ) -> Result<Accepted, Refusal> {
        if has_reached(row.status, wanted) && !has_failed(&row) {
            return Ok(Accepted {
                row,
                remarks: Vec::new(),
            });
        }
        let found = self.parts.waiting.until(scope, row.id, wanted, patience).await?;
        let row = found.ok_or_else(|| UserError::not_found("message"))?;
        let remarks = if has_failed(&row) {
            vec![failure(&row)]
        } else if has_reached(row.status, wanted) {
            Vec::new()
        } else {
            let message = "The message did not get that far in time. It stays queued and goes on by itself.";
            vec![UserError::new(ErrorCode::TimedOut, message).at("waitFor")]
        };
        Ok(Accepted { row, remarks })
    }
}

fn has_failed(row: &message::Model) -> bool {
    row.status == message::Status::Failed
}

/// What a failed message says to its sender.
fn failure(row: &message::Model) -> UserError {
    let message = row
        .error_message
        .clone()
        .unwrap_or_else(|| "The message was not sent.".to_owned());
    match row.error_code.as_deref() {
        Some("NOT_ON_WHATSAPP") => UserError::new(ErrorCode::NotOnWhatsapp, message).at("to"),
        Some("INVALID_ADDRESS") => UserError::new(ErrorCode::InvalidInput, message).at("to"),
        Some("REACHOUT_TIMELOCK") => UserError::new(ErrorCode::ReachoutTimelock, message),
        _ => UserError::new(ErrorCode::Rejected, message),
    }
}

fn recipient(profile: &Profile, to: To) -> Result<Recipient, UserError> {
    match to {
        To::Jid(jid) => parse_jid(&jid, "to.jid"),
        To::Phone(text) => Ok(settings::parse_phone(profile, &text, "to.phone")?.into()),
    }
}

/// The text with the people whom it mentions, and its placeholders filled.
fn text(profile: &Profile, body: String, mentioned: Option<Vec<To>>) -> Result<Text, UserError> {
    let (body, mentions) = match mentioned {
        Some(mentioned) => {
            let people = people(profile, mentioned)?;
            (mentions::fill(&body, &people)?, mentions::distinct(&people))
        }
        None => (body, Vec::new()),
    };
    Ok(Text {
        body: parse_text(body)?,
        mentions,
        ..Text::default()
    })
}

fn people(profile: &Profile, mentioned: Vec<To>) -> Result<Vec<Recipient>, UserError> {
    if mentioned.len() > mentions::MOST {
        let message = format!("A message mentions at most {} people.", mentions::MOST);
        return Err(UserError::invalid("mentions", message));
    }
    let person = |(place, to)| match to {
        To::Jid(jid) => parse_person(&jid, &format!("mentions.{place}.jid")),
        To::Phone(text) => Ok(settings::parse_phone(profile, &text, &format!("mentions.{place}.phone"))?.into()),
    };
    mentioned.into_iter().enumerate().map(person).collect()
}

fn everyone(recipient: &Recipient, wanted: bool) -> Result<bool, UserError> {
    if wanted && !recipient.is_group() {
        let message = "Only a group has an everyone to mention; this message goes to one person.";
        return Err(UserError::invalid("mentionEveryone", message));
    }
    Ok(wanted)
}

fn patience(wanted: Option<Duration>) -> Result<Duration, UserError> {
    match wanted {
        Some(wanted) if wanted > LONGEST_WAIT => Err(UserError::invalid(
            "waitMs",
            format!("A call waits at most {} ms.", LONGEST_WAIT.as_millis()),
        )),
        Some(wanted) => Ok(wanted),
        None => Ok(Duration::from_secs(10)),
    }
}

fn at(refusal: Refusal, path: &str) -> Refusal {
    match refusal {
        Refusal::User(errors) => Refusal::User(errors.into_iter().map(|error| error.at(path)).collect()),
        fault @ Refusal::Fault(_) => fault,
    }
}

async fn load(scope: &TenantScope, id: MessageId) -> Result<message::Model, Refusal> {
    let row = queries::find(scope, id).await?;
    row.ok_or_else(|| UserError::not_found("message").at("id").into())
}
