//! The event log as clients see it: the `events` query and the subscriptions.
//!
//! It stands above the domains because an event shows the device, chat or message that it is about.

use std::{collections::HashMap, pin::Pin};

use async_graphql::{
    Context, Enum, ID, Interface, Object, Subscription,
    connection::{Connection, EmptyFields},
};
use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, event};
use futures::{Stream, StreamExt, stream};
use sea_orm::{ActiveEnum, DbErr};

use crate::{
    chats::schema::Chat,
    devices::views::{Device, DeviceStatus},
    events::{self, EventFilter, EventLog, Follow},
    graphql::{
        GqlError, ids,
        pagination::{PageArguments, Rows, decode_cursor, encode_cursor, uncounted},
        scalars::{BigInt, Cursor},
    },
    messages::{
        self, relations,
        views::{Message, MessageStatus},
    },
    store::TenantScope,
    tenants::{Meter, Permission, principal, scope, views::TenantStatus},
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
    /// A chat was marked as read, or goes by the other side's number now.
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
    row: event::Model,
    message: Option<Message>,
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

    /// A chat was marked as read, or goes by the other side's number now.
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

/// Loads the messages that a batch of events is about, in one query.
async fn with_messages(scope: &TenantScope, rows: Vec<event::Model>) -> Result<Vec<Entry>, DbErr> {
    let ids: Vec<MessageId> = rows.iter().filter_map(|row| row.message_id).collect();
    let messages: HashMap<MessageId, Message> = if ids.is_empty() {
        HashMap::new()
    } else {
        let found = messages::queries::find_many(scope, &ids).await?;
        found.into_iter().map(|(id, row)| (id, Message::from(row))).collect()
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let message = row.message_id.and_then(|id| messages.get(&id).cloned());
            Entry { row, message }
        })
        .collect())
}

/// Queries of the event log.
#[derive(Default)]
pub struct FeedQuery;

#[Object]
impl FeedQuery {
    /// The tenant's event log, oldest first: `first` behind `after`, or the newest `last` before `before`. Poll it where a
    /// subscription cannot be kept open.
    async fn events(
        &self,
        ctx: &Context<'_>,
        types: Option<Vec<EventType>>,
        device_id: Option<ID>,
        first: Option<i32>,
        after: Option<Cursor>,
        last: Option<i32>,
        before: Option<Cursor>,
    ) -> Result<Connection<String, Event, EmptyFields, EmptyFields>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        let scope = scope(ctx)?;
        let (after, before) = (after.map(|cursor| cursor.0), before.map(|cursor| cursor.0));
        let page = PageArguments::new(first, after, last, before).parse()?;
        let rows = events::list(&scope, &filter(types, device_id.as_ref()), page).await?;
        let rows = Rows {
            rows: with_messages(&scope, rows.rows).await?,
            has_next: rows.has_next,
            has_previous: rows.has_previous,
        };
        Ok(uncounted(rows, |entry| (entry.row.sequence, Event::from(entry))))
    }
}

fn filter(types: Option<Vec<EventType>>, device_id: Option<&ID>) -> EventFilter {
    let types = types.unwrap_or_default().into_iter().map(Into::into).collect();
    EventFilter {
        types,
        device_id: device_id.map(ids::narrow),
    }
}

type Live<T> = Pin<Box<dyn Stream<Item = Result<T, GqlError>> + Send>>;

/// Follows the log; each batch of rows is turned into items by `turn`.
async fn follow<T, F, R>(
    ctx: &Context<'_>,
    filter: EventFilter,
    after: Option<Cursor>,
    turn: F,
) -> Result<Live<T>, GqlError>
where
    T: Send + 'static,
    F: Fn(TenantScope, Vec<event::Model>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<T>, DbErr>> + Send + 'static,
{
    principal(ctx)?.require(Permission::Read)?;
    let scope = scope(ctx)?;
    let after = after.map(|cursor| decode_cursor::<i64>(&cursor.0)).transpose()?;
    let bus = ctx.data_unchecked::<EventLog>().bus();
    let follow = Follow::begin(scope.clone(), bus, filter, after).await?;
    let batches = stream::unfold((follow, turn, scope), |(mut follow, turn, scope)| async move {
        let batch = match follow.next().await {
            Ok(rows) => turn(scope.clone(), rows).await,
            Err(error) => Err(error),
        };
        let items: Vec<Result<T, GqlError>> = match batch {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.into())],
        };
        Some((stream::iter(items), (follow, turn, scope)))
    });
    Ok(Box::pin(end_after_error(batches.flatten())))
}

/// A stream that failed ends, so that the client subscribes again with its cursor and nothing is left out.
fn end_after_error<T>(items: impl Stream<Item = Result<T, GqlError>>) -> impl Stream<Item = Result<T, GqlError>> {
    items.scan(false, |failed, item| {
        let ended = std::mem::replace(failed, item.is_err());
        std::future::ready((!ended).then_some(item))
    })
}

/// Subscriptions.
#[derive(Default)]
pub struct FeedSubscription;

#[Subscription]
impl FeedSubscription {
    /// The event log: with `after` everything behind it and then what comes, without it what comes. Each event once,
    /// in order. Keep the last `cursor`; after a lost connection subscribe again with it.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: Option<Cursor>,
        types: Option<Vec<EventType>>,
        device_id: Option<ID>,
    ) -> Result<Live<Event>, GqlError> {
        let shows_message = ctx.look_ahead().field("message").exists();
        follow(
            ctx,
            filter(types, device_id.as_ref()),
            after,
            move |scope, rows| async move {
                let entries = if shows_message {
                    with_messages(&scope, rows).await?
                } else {
                    rows.into_iter().map(|row| Entry { row, message: None }).collect()
                };
                Ok(entries.into_iter().map(Event::from).collect())
            },
        )
        .await
    }

    /// A device whenever it changes or has a fresh code; every device when no id is given. It begins with the devices
    /// as they are now when an id is given.
    async fn device_updated(&self, ctx: &Context<'_>, id: Option<ID>) -> Result<Live<Device>, GqlError> {
        let mut wanted = filter(Some(vec![EventType::DeviceStatus, EventType::DeviceQr]), id.as_ref());
        wanted.types.dedup();
        let now = match (&id, wanted.device_id) {
            (Some(_), Some(id)) => relations::find_device(ctx, id).await?,
            _ => None,
        };
        let changes = follow(ctx, wanted, None, |scope, rows| async move {
            let ids: Vec<DeviceId> = newest_of_each(rows.iter().filter_map(|row| row.device_id));
            let mut found = crate::devices::queries::find_many(&scope, &ids).await?;
            Ok(ids.iter().filter_map(|id| found.remove(id)).map(Device::from).collect())
        })
        .await?;
        Ok(Box::pin(stream::iter(now.map(Ok)).chain(changes)))
    }

    /// A message whenever it comes in or reaches a further state; of a device, of a chat, or all.
    async fn message_updated(
        &self,
        ctx: &Context<'_>,
        device_id: Option<ID>,
        chat_id: Option<ID>,
    ) -> Result<Live<Message>, GqlError> {
        let types = vec![EventType::MessageReceived, EventType::MessageStatus];
        let chat_id: Option<ChatId> = chat_id.as_ref().map(ids::narrow);
        follow(
            ctx,
            filter(Some(types), device_id.as_ref()),
            None,
            move |scope, rows| async move {
                let of_chat = rows.iter().filter(|row| chat_id.is_none() || row.chat_id == chat_id);
                let ids: Vec<MessageId> = newest_of_each(of_chat.filter_map(|row| row.message_id));
                let mut found = messages::queries::find_many(&scope, &ids).await?;
                Ok(ids
                    .iter()
                    .filter_map(|id| found.remove(id))
                    .map(Message::from)
                    .collect())
            },
        )
        .await
    }
}

/// Each id once, at its last place: the rows are read as they are now anyway.
fn newest_of_each<T: Copy + Eq + std::hash::Hash>(ids: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    let mut ids: Vec<T> = ids.collect();
    ids.reverse();
    ids.retain(|id| seen.insert(*id));
    ids.reverse();
    ids
}
