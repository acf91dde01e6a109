//! What the API takes: which messages are wanted, and what shall be sent.

use std::time::Duration;

use async_graphql::{Enum, ID, InputObject, OneofObject};

use super::{
    queries::MessageSearch,
    service::{NewMessage, To},
    views::{Direction, MessageKind, MessageStatus, Priority},
};
use crate::graphql::{
    TimeRange, UserError, ids,
    scalars::{Jid, PhoneNumber},
};

/// Which messages. Everything given must hold.
#[derive(Default, InputObject)]
pub struct MessageFilter {
    /// Of this device.
    pub device_id: Option<ID>,
    /// Of this chat.
    pub chat_id: Option<ID>,
    /// In or out.
    pub direction: Option<Direction>,
    /// In one of these states.
    pub status: Option<Vec<MessageStatus>>,
    /// Of one of these kinds.
    pub kind: Option<Vec<MessageKind>>,
    /// Written by this number (E.164).
    pub sender: Option<PhoneNumber>,
    /// Sent to this number (E.164).
    pub recipient: Option<PhoneNumber>,
    /// Stored in this range of time.
    pub created_at: Option<TimeRange>,
    /// Contains this text, whatever its case.
    pub text: Option<String>,
    /// Has this WhatsApp id.
    pub whatsapp_id: Option<String>,
}

impl From<MessageFilter> for MessageSearch {
    fn from(filter: MessageFilter) -> Self {
        let range = filter.created_at.unwrap_or_default();
        Self {
            device_id: filter.device_id.as_ref().map(ids::narrow),
            chat_id: filter.chat_id.as_ref().map(ids::narrow),
            direction: filter.direction.map(Into::into),
            status: filter.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            kind: filter.kind.unwrap_or_default().into_iter().map(Into::into).collect(),
            sender: filter.sender.map(|phone| phone.0),
            recipient: filter.recipient.map(|phone| phone.0),
            from: range.from,
            to: range.to,
            text: filter.text,
            whatsapp_id: filter.whatsapp_id,
        }
    }
}

/// How messages are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum MessageOrder {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
}

/// A message to send.
#[derive(InputObject)]
pub struct SendMessageInput {
    /// Which device sends it.
    pub device_id: ID,
    /// Whom it is for.
    pub to: RecipientInput,
    /// What it says.
    pub content: MessageContentInput,
    /// People whom the text mentions: at most 1,024, by phone number or by a person's address. When this is given, the
    /// text's placeholders are filled: `{m1}` or `{mention1}` with the first of them, `{mention[0]}` likewise, `{mentions}`
    /// with all of them and spaces between; one that stands for nobody is refused. `@` and a number's digits, such as
    /// `@6281234567890`, may be written by hand instead. Whoever stands nowhere in the text is mentioned all the same. Each
    /// person is mentioned once. When this is left out, the text is sent as it is.
    pub mentions: Option<Vec<RecipientInput>>,
    /// Mentions everybody in the group, as `@all` does in WhatsApp's apps; INVALID_INPUT in a chat with one person. The
    /// text stays as it is: write `@all` where it shall be seen. WhatsApp lets everybody do so in small groups and admins
    /// in large ones, and does not tell who has muted it. False by default.
    pub mention_everyone: Option<bool>,
    /// Its place in the device's queue; INTERACTIVE by default.
    pub priority: Option<Priority>,
    /// 1–64 printable characters. The same key returns the first message and sends nothing.
    pub idempotency_key: Option<String>,
    /// How far it shall get before this call answers; QUEUED by default. It stays queued when time runs out.
    pub wait_for: Option<MessageStatus>,
    /// How long to wait at most, in milliseconds: 10,000 by default, 30,000 at most.
    pub wait_ms: Option<i32>,
}

/// Whom a message is for.
#[derive(OneofObject)]
pub enum RecipientInput {
    /// A phone number: international (`+62 812…`, `62812…`), or local (`0812…`) in the tenant's default country.
    Phone(String),
    /// A WhatsApp address: `…@s.whatsapp.net`, `…@c.us`, `…@lid`, `…@g.us`.
    Jid(Jid),
}

impl From<RecipientInput> for To {
    fn from(input: RecipientInput) -> Self {
        match input {
            RecipientInput::Phone(text) => Self::Phone(text),
            RecipientInput::Jid(Jid(text)) => Self::Jid(text),
        }
    }
}

/// What a message says.
#[derive(OneofObject)]
pub enum MessageContentInput {
    /// Text.
    Text(TextInput),
}

/// Text to send.
#[derive(InputObject)]
pub struct TextInput {
    /// 1–4,096 characters, also when placeholders of `mentions` are filled.
    pub body: String,
    /// Show what the page behind the text's first http(s) link says of itself: title, description and picture. Kabar
    /// then fetches that page, once and before it answers, which takes as long as the page does and at most the seconds
    /// that are configured (4). A link that is good for one use is used up by it, and the page's server learns of the
    /// fetch. When there is nothing to show the text is sent all the same, and `content.linkPreview` is null. False by
    /// default: nothing is fetched.
    pub link_preview: Option<bool>,
}

impl TryFrom<SendMessageInput> for NewMessage {
    type Error = UserError;

    fn try_from(input: SendMessageInput) -> Result<Self, UserError> {
        let MessageContentInput::Text(TextInput { body, link_preview }) = input.content;
        let milliseconds = input.wait_ms.map(u64::try_from).transpose();
        let wait = milliseconds.map_err(|_| UserError::invalid("waitMs", "A time to wait is not negative."))?;
        Ok(Self {
            device_id: ids::parse(&input.device_id, "device", "deviceId")?,
            to: input.to.into(),
            text: body,
            mentions: input
                .mentions
                .map(|people| people.into_iter().map(Into::into).collect()),
            mention_everyone: input.mention_everyone.unwrap_or_default(),
            link_preview: link_preview.unwrap_or_default(),
            priority: input.priority.unwrap_or(Priority::Interactive).into(),
            idempotency_key: input.idempotency_key,
            wait_for: input.wait_for.unwrap_or(MessageStatus::Queued).into(),
            wait: wait.map(Duration::from_millis),
        })
    }
}
