//! What each kind of event shows, as it was then or as its device, chat or message is now.

use async_graphql::{Context, Enum, ID, Interface, Object};
use chrono::{DateTime, Utc};
use entity::event;
use sea_orm::ActiveEnum;

use crate::{
    chats::schema::Chat,
    devices::views::{Device, DeviceStatus},
    graphql::{
        GqlError,
        pagination::encode_cursor,
        scalars::{BigInt, Cursor},
    },
    messages::{
        relations,
        views::{Message, MessageStatus},
    },
    tenants::{Meter, views::TenantStatus},
};

/// What an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "event::Type")]
pub enum EventType {
    /// A device was made or changed its state, name or link.
    DeviceStatus,
    /// A device has a fresh code to scan or to type.
    DeviceQr,
    /// A message came in.
    MessageReceived,
    /// An outgoing message was accepted or reached a further state.
    MessageStatus,
    /// A chat was marked as read, goes by the other side's number now, or is a group that is called otherwise.
    ChatUpdated,
    /// Two chats turned out to be one person's and became one.
    ChatsJoined,
    /// Most of a limit is used, or all of it.
    QuotaWarning,
    /// A refresh token came again after it was used: somebody has a copy. Its session was ended.
    RefreshTokenReused,
    /// The tenant was suspended, or its suspension was lifted.
    TenantStatus,
}

/// A change, numbered without gaps per tenant in the transaction that made it.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Opaque id, `evt_…`."),
    field(
        name = "cursor",
        ty = "Cursor",
        desc = "Its place in the log: give it back as `after` to go on behind it."
    ),
    field(name = "type", method = "kind", ty = "EventType", desc = "What it tells of."),
    field(name = "at", ty = "DateTime<Utc>", desc = "When it happened."),
    field(
        name = "device",
        ty = "Result<Option<Device>, GqlError>",
        desc = "The device, as it is now; null when it is gone."
    )
)]
pub enum Event {
    DeviceStatus(DeviceStatusEvent),
    DeviceQr(DeviceQrEvent),
    MessageReceived(MessageReceivedEvent),
    MessageStatus(MessageStatusEvent),
    ChatUpdated(ChatUpdatedEvent),
    ChatsJoined(ChatsJoinedEvent),
    QuotaWarning(QuotaWarningEvent),
    RefreshTokenReused(RefreshTokenReusedEvent),
    TenantStatus(TenantStatusEvent),
}

/// A row of the log, with the message it is about when that was loaded ahead.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) row: event::Model,
    pub(super) message: Option<Message>,
}

impl Entry {
    fn data(&self, field: &str) -> Option<String> {
        self.row.data.get(field)?.as_str().map(str::to_owned)
    }

    async fn chat(&self, ctx: &Context<'_>) -> Result<Option<Chat>, GqlError> {
        match self.row.chat_id {
            Some(id) => relations::find_chat(ctx, id).await,
            None => Ok(None),
        }
    }

    fn number(&self, field: &str) -> i64 {
        self.row
            .data
            .get(field)
            .and_then(serde_json::Value::as_i64)
            .unwrap_or_default()
    }

    async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>, GqlError> {
        match (&self.message, self.row.message_id) {
            (Some(message), _) => Ok(Some(message.clone())),
            (None, Some(id)) => relations::find_message(ctx, id).await,
            (None, None) => Ok(None),
        }
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident { $($extra:tt)* })*) => {$(
        $(#[$doc])*
        pub struct $name(Entry);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Opaque id, `evt_…`.
            pub async fn id(&self) -> ID {
                event_id(&self.0.row)
            }

            /// Its place in the log: give it back as `after` to go on behind it.
            pub async fn cursor(&self) -> Cursor {
                Cursor(encode_cursor(&self.0.row.sequence))
            }

            /// What it tells of.
            #[graphql(name = "type")]
            pub async fn kind(&self) -> EventType {
                self.0.row.r#type.into()
            }

            /// When it happened.
            pub async fn at(&self) -> DateTime<Utc> {
                self.0.row.at
            }

            /// The device, as it is now; null when it is gone.
            pub async fn device(&self, ctx: &Context<'_>) -> Result<Option<Device>, GqlError> {
                match self.0.row.device_id {
                    Some(id) => relations::find_device(ctx, id).await,
                    None => Ok(None),
                }
            }

            $($extra)*
        }
    )*};
}

event_types! {
    /// A device was made or changed its state, name or link.
    DeviceStatusEvent {
        /// The state that it had then.
        async fn status(&self) -> DeviceStatus {
            let status = self.0.data("status").and_then(|text| entity::device::Status::try_from_value(&text).ok());
            status.unwrap_or(entity::device::Status::Failed).into()
        }

        /// Why, when there was something to say.
        async fn reason(&self) -> Option<String> {
            self.0.data("reason")
        }
    }

    /// A device has a fresh code to scan or to type: read it from `device`.
    DeviceQrEvent {}

    /// A message came in.
    MessageReceivedEvent {
        /// The message, as it is now; null when it is gone.
        async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>, GqlError> {
            self.0.message(ctx).await
        }
    }

    /// An outgoing message was accepted or reached a further state.
    MessageStatusEvent {
        /// The message, as it is now; null when it is gone.
        async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>, GqlError> {
            self.0.message(ctx).await
        }

        /// The state that it reached then.
        async fn status(&self) -> MessageStatus {
            let status = self.0.data("status").and_then(|text| entity::message::Status::try_from_value(&text).ok());
            status.unwrap_or(entity::message::Status::Queued).into()
        }
    }

    /// A chat was marked as read, goes by the other side's number now, or is a group that is called otherwise.
    ChatUpdatedEvent {
        /// The chat, as it is now; null when it is gone.
        async fn chat(&self, ctx: &Context<'_>) -> Result<Option<Chat>, GqlError> {
            self.0.chat(ctx).await
        }
    }

    /// Two chats turned out to be one person's, known by hidden address and by number, and became one. Every message of
    /// both is in `chat`.
    ChatsJoinedEvent {
        /// The chat that remains, as it is now; null when it is gone.
        async fn chat(&self, ctx: &Context<'_>) -> Result<Option<Chat>, GqlError> {
            self.0.chat(ctx).await
        }

        /// The id of the chat that is no more.
        async fn gone_id(&self) -> ID {
            ID(self.0.data("goneId").unwrap_or_default())
        }
    }

    /// Most of a limit is used, or all of it: told once per window at 80 % and once at 100 %.
    QuotaWarningEvent {
        /// Which limit; null when it is none of today's.
        async fn meter(&self) -> Option<Meter> {
            self.0.data("meter").and_then(|key| Meter::of_key(&key))
        }

        /// 80 or 100.
        async fn percent(&self) -> i64 {
            self.0.number("percent")
        }

        /// How much was allowed then.
        async fn limit(&self) -> BigInt {
            BigInt(self.0.number("limit"))
        }

        /// How much was used then.
        async fn used(&self) -> BigInt {
            BigInt(self.0.number("used"))
        }
    }

    /// A refresh token came again after it was used: somebody has a copy. Its session was ended; the audit log says where
    /// the token came from.
    RefreshTokenReusedEvent {
        /// The person whose session it was, `usr_…`.
        async fn user_id(&self) -> ID {
            ID(self.0.data("userId").unwrap_or_default())
        }

        /// The session that was ended, `ses_…`.
        async fn session_id(&self) -> ID {
            ID(self.0.data("sessionId").unwrap_or_default())
        }
    }

    /// An operator suspended the tenant, or lifted its suspension.
    TenantStatusEvent {
        /// The state that it had from then on.
        async fn status(&self) -> TenantStatus {
            let status = self.0.data("status").and_then(|text| entity::tenant::Status::try_from_value(&text).ok());
            status.unwrap_or(entity::tenant::Status::Active).into()
        }

        /// Why it was suspended, as the operator has put it.
        async fn reason(&self) -> Option<String> {
            self.0.data("reason")
        }
    }
}

impl From<Entry> for Event {
    fn from(entry: Entry) -> Self {
        match entry.row.r#type {
            event::Type::DeviceStatus => Self::DeviceStatus(DeviceStatusEvent(entry)),
            event::Type::DeviceQr => Self::DeviceQr(DeviceQrEvent(entry)),
            event::Type::MessageReceived => Self::MessageReceived(MessageReceivedEvent(entry)),
            event::Type::MessageStatus => Self::MessageStatus(MessageStatusEvent(entry)),
            event::Type::ChatUpdated => Self::ChatUpdated(ChatUpdatedEvent(entry)),
            event::Type::ChatsJoined => Self::ChatsJoined(ChatsJoinedEvent(entry)),
            event::Type::QuotaWarning => Self::QuotaWarning(QuotaWarningEvent(entry)),
            event::Type::RefreshTokenReused => Self::RefreshTokenReused(RefreshTokenReusedEvent(entry)),
            event::Type::TenantStatus => Self::TenantStatus(TenantStatusEvent(entry)),
        }
    }
}

fn event_id(row: &event::Model) -> ID {
    let number = u128::try_from(row.sequence).unwrap_or(0);
    ID(format!("evt_{}", entity::id::encode_base32(number)))
}
