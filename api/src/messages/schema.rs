//! Messages in the API.

use std::time::Duration;

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, OneofObject, SimpleObject, Union};
use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, chat, message, receipt};

use super::{
    Messages,
    queries::{self, MessageSearch},
    relations,
    service::{Accepted, NewMessage, To},
};
use crate::{
    chats::{schema::Chat, types::phone_of},
    devices::schema::Device,
    graphql::{
        GqlError, Payload, Refusal, TimeRange, UserError, answer,
        ids::parse,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
        scalars::{Jid, PhoneNumber},
    },
    store::TenantScope,
    tenants::{Permission, principal, scope},
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
            content: MessageContent::of(row.kind, row.body),
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
    fn of(kind: message::Kind, body: Option<String>) -> Self {
        let body = body.unwrap_or_default();
        match kind {
            message::Kind::Text => Self::Text(TextContent { body }),
            _ => Self::Other(OtherContent { description: body }),
        }
    }
}

/// Text.
#[derive(Clone, Debug, SimpleObject)]
pub struct TextContent {
    /// The text, at most 4,096 characters in what is sent from here.
    pub body: String,
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
        // Garbage and somebody else's id alike find nothing.
        let nil = sea_orm::prelude::Uuid::nil();
        Self {
            device_id: filter.device_id.map(|id| id.parse().unwrap_or(DeviceId(nil))),
            chat_id: filter.chat_id.map(|id| id.parse().unwrap_or(ChatId(nil))),
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

/// Queries of messages.
#[derive(Default)]
pub struct MessageQuery;

#[Object]
impl MessageQuery {
    /// The tenant's messages, newest first unless sorted otherwise.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<MessageFilter>,
        order_by: Option<MessageOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Message>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        let search = filter.unwrap_or_default().into();
        let ascending = order_by == Some(MessageOrder::CreatedAsc);
        page(
            scope(ctx)?,
            search,
            ascending,
            PageArguments {
                first,
                after,
                last,
                before,
            },
        )
        .await
    }
}

/// A page of messages.
pub async fn page(
    scope: TenantScope,
    search: MessageSearch,
    ascending: bool,
    page: PageArguments,
) -> Result<CountedConnection<Message>, GqlError> {
    let rows = queries::list(&scope, &search, ascending, &page.parse()?).await?;
    let total = TotalCount::by(move || {
        let (scope, search) = (scope.clone(), search.clone());
        async move { Ok(queries::count(&scope, &search).await?) }
    });
    Ok(counted(rows, total, |row| (row.id, Message::from(row))))
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
    /// 1–4,096 characters.
    pub body: String,
}

impl TryFrom<SendMessageInput> for NewMessage {
    type Error = UserError;

    fn try_from(input: SendMessageInput) -> Result<Self, UserError> {
        let MessageContentInput::Text(TextInput { body }) = input.content;
        let milliseconds = input.wait_ms.map(u64::try_from).transpose();
        let wait = milliseconds.map_err(|_| UserError::invalid("waitMs", "A time to wait is not negative."))?;
        Ok(Self {
            device_id: parse(&input.device_id, "device", "deviceId")?,
            to: input.to.into(),
            text: body,
            priority: input.priority.unwrap_or(Priority::Interactive).into(),
            idempotency_key: input.idempotency_key,
            wait_for: input.wait_for.unwrap_or(MessageStatus::Queued).into(),
            wait: wait.map(Duration::from_millis),
        })
    }
}

/// What became of a message.
#[derive(SimpleObject)]
pub struct MessagePayload {
    /// The message as it is now; null when it was not accepted.
    pub message: Option<Message>,
    /// Why it was not accepted, or what hinders it; empty when all is well.
    pub user_errors: Vec<UserError>,
}

impl Payload<Accepted> for MessagePayload {
    fn accepted(accepted: Accepted) -> Self {
        Self {
            message: Some(accepted.row.into()),
            user_errors: accepted.remarks,
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            message: None,
            user_errors,
        }
    }
}

impl Payload<message::Model> for MessagePayload {
    fn accepted(row: message::Model) -> Self {
        Self {
            message: Some(row.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            message: None,
            user_errors,
        }
    }
}

/// What became of a chat.
#[derive(SimpleObject)]
pub struct ChatPayload {
    /// The chat as it is now; null when it was refused.
    pub chat: Option<Chat>,
    /// Why it was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

impl Payload<chat::Model> for ChatPayload {
    fn accepted(row: chat::Model) -> Self {
        Self {
            chat: Some(row.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            chat: None,
            user_errors,
        }
    }
}

/// Mutations of messages.
#[derive(Default)]
pub struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Sends a message. It is durable when this answers, and goes out when its turn comes, also after a crash. Needs the
    /// right to send.
    async fn send_message(&self, ctx: &Context<'_>, input: SendMessageInput) -> Result<MessagePayload, GqlError> {
        let caller = principal(ctx)?;
        let new = NewMessage::try_from(input).map_err(Refusal::from);
        answer(async { messages(ctx).send(caller, new?).await }.await)
    }

    /// Takes back a message that has not left yet. Needs the right to send.
    async fn cancel_message(&self, ctx: &Context<'_>, id: ID) -> Result<MessagePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { messages(ctx).cancel(caller, parse(&id, "message", "id")?).await }.await)
    }

    /// Queues a failed message again, under the same WhatsApp id. Needs the right to send.
    async fn retry_message(&self, ctx: &Context<'_>, id: ID) -> Result<MessagePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { messages(ctx).retry(caller, parse(&id, "message", "id")?).await }.await)
    }

    /// Marks a chat as read, and tells the senders. Needs the right to send.
    async fn mark_chat_read(&self, ctx: &Context<'_>, chat_id: ID) -> Result<ChatPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(
            async {
                messages(ctx)
                    .mark_chat_read(caller, parse(&chat_id, "chat", "chatId")?)
                    .await
            }
            .await,
        )
    }
}

fn messages<'a>(ctx: &Context<'a>) -> &'a Messages {
    ctx.data_unchecked::<Messages>()
}
