//! A message as the API shows it.

use async_graphql::{ComplexObject, Context, Enum, ID, SimpleObject, Union};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, message, receipt};
use sea_orm::prelude::Json;

use super::{content, mention_views::Mention, mentions, relations};
use crate::{
    chats::{schema::Chat, types::phone_of},
    devices::views::Device,
    engine,
    graphql::{
        GqlError,
        scalars::{Jid, PhoneNumber},
    },
};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "message::Direction")]
pub enum Direction {
    /// From somebody else to the device's account.
    In,
    /// From the device's account.
    Out,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "message::Kind")]
pub enum MessageKind {
    /// Text.
    Text,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A short film that repeats.
    Gif,
    /// A sound file.
    Audio,
    /// A voice note.
    Voice,
    /// A file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// Contact cards.
    Contacts,
    /// A poll.
    Poll,
    /// Buttons to press.
    Buttons,
    /// A list to choose from.
    List,
    /// A reaction to another message.
    Reaction,
    /// Something that this version does not take apart.
    Other,
}

/// How far a message has come. It moves forward only, except that a failed one can be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "message::Status")]
pub enum MessageStatus {
    /// Waits for its time.
    Scheduled,
    /// Durable, waits for its turn.
    Queued,
    /// An attempt is under way.
    Sending,
    /// WhatsApp's server took it.
    Sent,
    /// It reached the recipient's phone; in a group, at least one.
    Delivered,
    /// It was read; in a group, by at least one.
    Read,
    /// The voice note or film was played.
    Played,
    /// It was not sent; `error` says why.
    Failed,
    /// It was taken back before it left.
    Canceled,
    /// Its time ran out before it left.
    Expired,
    /// It came in.
    Received,
}

/// Who goes first in a device's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "message::Priority")]
pub enum Priority {
    /// One-time passwords: before everything else.
    Otp,
    /// Conversations. The default.
    Interactive,
    /// Messages that waited for their time.
    Scheduled,
    /// Campaigns and bulk sends: after everything else.
    Bulk,
}

/// A message, in or out.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Message {
    /// Opaque id, `msg_…`.
    pub id: ID,
    /// WhatsApp's id, made before the first attempt and the same in every attempt.
    pub whatsapp_id: String,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it.
    pub sender: Party,
    /// Whom it went to; null for what came in.
    pub recipient: Option<Party>,
    /// What it is.
    pub kind: MessageKind,
    /// What it says.
    pub content: MessageContent,
    /// How far it has come.
    pub status: MessageStatus,
    /// When it reached each state, in their order.
    pub status_history: Vec<StatusChange>,
    /// Why it was not sent.
    pub error: Option<MessageError>,
    /// How often it was tried.
    pub attempts: i32,
    /// Its place in the device's queue.
    pub priority: Priority,
    /// When WhatsApp's server took it; for what came in, when its sender wrote it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was stored here.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row_id: entity::MessageId,
    #[graphql(skip)]
    pub device_id: DeviceId,
    #[graphql(skip)]
    pub chat_id: ChatId,
}

impl From<message::Model> for Message {
    fn from(row: message::Model) -> Self {
        let status_history = history(&row);
        let error = row.error_code.clone().map(|code| MessageError {
            code,
            message: row.error_message.clone().unwrap_or_default(),
            whatsapp_code: row.error_number,
        });
        let recipient = row.recipient_jid.map(|jid| Party::new(jid, row.recipient_phone, None));
        Self {
            id: ID(row.id.to_string()),
            whatsapp_id: row.whatsapp_id,
            direction: row.direction.into(),
            sender: Party::new(row.sender_jid, row.sender_phone, row.sender_name),
            recipient,
            kind: row.kind.into(),
            content: MessageContent::of(row.device_id, row.kind, row.content, row.body),
            status: row.status.into(),
            status_history,
            error,
            attempts: row.attempts,
            priority: row.priority.into(),
            sent_at: row.sent_at,
            created_at: row.created_at,
            row_id: row.id,
            device_id: row.device_id,
            chat_id: row.chat_id,
        }
    }
}

fn history(row: &message::Model) -> Vec<StatusChange> {
    let first = if row.direction == message::Direction::In {
        MessageStatus::Received
    } else {
        MessageStatus::Queued
    };
    let sent = row.sent_at.filter(|_| row.direction == message::Direction::Out);
    let steps = [
        (first, Some(row.created_at)),
        (MessageStatus::Sending, row.sending_at),
        (MessageStatus::Sent, sent),
        (MessageStatus::Delivered, row.delivered_at),
        (MessageStatus::Read, row.read_at),
        (MessageStatus::Played, row.played_at),
        (row.status.into(), row.ended_at),
    ];
    steps
        .into_iter()
        .filter_map(|(status, at)| Some(StatusChange { status, at: at? }))
        .collect()
}

/// Somebody on WhatsApp.
#[derive(Clone, Debug, SimpleObject)]
pub struct Party {
    /// Their address.
    pub jid: Jid,
    /// Their number, when it is known.
    pub phone_number: Option<PhoneNumber>,
    /// What they call themselves, when it is known.
    pub name: Option<String>,
}

impl Party {
    fn new(jid: String, phone: Option<String>, name: Option<String>) -> Self {
        let phone_number = phone.or_else(|| phone_of(&jid)).map(PhoneNumber);
        Self {
            jid: Jid(jid),
            phone_number,
            name,
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, Union)]
pub enum MessageContent {
    Text(TextContent),
    Other(OtherContent),
}

impl MessageContent {
    fn of(device_id: DeviceId, kind: message::Kind, stored: Json, body: Option<String>) -> Self {
        let body = body.unwrap_or_default();
        if kind != message::Kind::Text {
            return Self::Other(OtherContent { description: body });
        }
        let text = content::text(stored);
        let places = mentions::found_in(&body, &text.mentions);
        let mention = |(mention, text): (engine::Mention, Option<String>)| Mention::new(device_id, mention.jid, text);
        Self::Text(TextContent {
            body,
            link_preview: text.link_preview.map(Into::into),
            mentions: text.mentions.into_iter().zip(places).map(mention).collect(),
            mentions_everyone: text.mentions_everyone,
        })
    }
}

/// Text.
#[derive(Clone, Debug, SimpleObject)]
pub struct TextContent {
    /// The text, at most 4,096 characters in what is sent from here.
    pub body: String,
    /// What is shown of its link; null without one, and when there was nothing to show.
    pub link_preview: Option<LinkPreview>,
    /// Whom it mentions: each person once, at most 1,024, in the order of the message.
    pub mentions: Vec<Mention>,
    /// It mentions everybody in the group, as `@all` does in WhatsApp's apps.
    pub mentions_everyone: bool,
}

/// What the page behind a text's link says of itself. It is what the recipient sees: a page that changes later changes
/// nothing here.
#[derive(Clone, Debug, SimpleObject)]
pub struct LinkPreview {
    /// The link as it stands in the text. In what comes in, its sender chose it.
    pub url: String,
    /// The page's title.
    pub title: String,
    /// What the page is about; null when it does not say.
    pub description: Option<String>,
    /// The page's picture as a `data:` URL: a JPEG, at most 192 pixels wide and high in what is sent from here. Null when
    /// there is none.
    pub thumbnail: Option<String>,
}

impl From<engine::LinkPreview> for LinkPreview {
    fn from(preview: engine::LinkPreview) -> Self {
        let data_url = |jpeg: Vec<u8>| format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
        Self {
            url: preview.url,
            title: preview.title,
            description: preview.description,
            thumbnail: preview.thumbnail.map(data_url),
        }
    }
}

/// Something that this version shows by a description only.
#[derive(Clone, Debug, SimpleObject)]
pub struct OtherContent {
    /// A caption, a title or a name; empty when there is none.
    pub description: String,
}

/// A state that a message reached.
#[derive(Clone, Debug, SimpleObject)]
pub struct StatusChange {
    /// The state.
    pub status: MessageStatus,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a message was not sent.
#[derive(Clone, Debug, SimpleObject)]
pub struct MessageError {
    /// Stable: `NOT_ON_WHATSAPP`, `INVALID_ADDRESS`, `REACHOUT_TIMELOCK`, `REJECTED`, `SEND_FAILED`.
    pub code: String,
    /// For people, in English.
    pub message: String,
    /// WhatsApp's own code, when its server refused.
    pub whatsapp_code: Option<i32>,
}

/// What one participant of a group did with a message.
#[derive(Clone, Debug, SimpleObject)]
pub struct Receipt {
    /// Who.
    pub party: Party,
    /// DELIVERED, READ or PLAYED.
    pub status: MessageStatus,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<receipt::Model> for Receipt {
    fn from(row: receipt::Model) -> Self {
        let steps = [
            (MessageStatus::Played, row.played_at),
            (MessageStatus::Read, row.read_at),
            (MessageStatus::Delivered, row.delivered_at),
        ];
        let furthest = steps.into_iter().find_map(|(status, at)| Some((status, at?)));
        let (status, at) = furthest.unwrap_or((MessageStatus::Sent, DateTime::UNIX_EPOCH));
        Self {
            party: Party::new(row.participant_jid, row.participant_phone, None),
            status,
            at,
        }
    }
}

#[ComplexObject]
impl Message {
    /// The device that sent or received it.
    async fn device(&self, ctx: &Context<'_>) -> Result<Device, GqlError> {
        relations::device(ctx, self.device_id).await
    }

    /// The conversation that it belongs to.
    async fn chat(&self, ctx: &Context<'_>) -> Result<Chat, GqlError> {
        relations::chat(ctx, self.chat_id).await
    }

    /// Per participant, for what was sent to a group; empty for others.
    async fn receipts(&self, ctx: &Context<'_>) -> Result<Vec<Receipt>, GqlError> {
        relations::receipts(ctx, self.row_id).await
    }
}
