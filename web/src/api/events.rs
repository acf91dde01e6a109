//! The event feed: what keeps every page live.

use cynic::{Id, QueryBuilder};

use super::{
    chats::Chat,
    client,
    devices::{Device, DeviceName, DeviceStatus},
    error::ApiError,
    messages::{Message, MessageStatus},
    schema,
    tenancy::{Meter, TenantStatus},
    values::{At, Backward, Cursor},
};

#[derive(cynic::QueryVariables, Debug)]
pub struct FeedVariables {
    pub after: Option<Cursor>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "FeedVariables")]
pub struct Feed {
    #[arguments(after: $after)]
    pub events: Event,
}

#[derive(cynic::QueryVariables, Debug)]
struct NewestVariables {
    types: Option<Vec<EventType>>,
    last: i32,
    before: Option<Cursor>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "NewestVariables")]
struct Newest {
    #[arguments(types: $types, last: $last, before: $before)]
    events: EventPage,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "EventConnection")]
pub struct EventPage {
    pub nodes: Vec<Event>,
    pub page_info: Backward,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum EventType {
    DeviceStatus,
    DeviceQr,
    MessageReceived,
    MessageStatus,
    ChatUpdated,
    ChatsJoined,
    QuotaWarning,
    TenantStatus,
    #[cynic(fallback)]
    Other,
}

/// The newest `last` events before the cursor, oldest first.
pub async fn newest(types: Option<Vec<EventType>>, last: i32, before: Option<String>) -> Result<EventPage, ApiError> {
    let variables = NewestVariables {
        types,
        last,
        before: before.map(Cursor),
    };
    Ok(client::run(Newest::build(variables)).await?.events)
}

/// One event with the fresh object it is about.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
pub enum Event {
    DeviceStatus(Box<DeviceStatusEvent>),
    DeviceQr(Box<DeviceQrEvent>),
    MessageReceived(Box<MessageReceivedEvent>),
    MessageStatus(Box<MessageStatusEvent>),
    ChatUpdated(Box<ChatUpdatedEvent>),
    ChatsJoined(Box<ChatsJoinedEvent>),
    QuotaWarning(Box<QuotaWarningEvent>),
    TenantStatus(Box<TenantStatusEvent>),
    #[cynic(fallback)]
    Unknown,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DeviceStatusEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<Device>,
    /// Under another name, since two kinds of event may not answer one name with two types.
    #[cynic(rename = "status", alias)]
    pub device_status: DeviceStatus,
    pub reason: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DeviceQrEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<Device>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct MessageReceivedEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<DeviceName>,
    pub message: Option<Message>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct MessageStatusEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<DeviceName>,
    pub message: Option<Message>,
    pub status: MessageStatus,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ChatUpdatedEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<DeviceName>,
    pub chat: Option<Chat>,
}

/// Two chats became one: `gone_id` is no more.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ChatsJoinedEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<DeviceName>,
    pub chat: Option<Chat>,
    pub gone_id: Id,
}

/// Most of a limit is used, or all of it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct QuotaWarningEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub meter: Option<Meter>,
    pub percent: i32,
}

/// The tenant was suspended, or its suspension was lifted.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TenantStatusEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    #[cynic(rename = "status", alias)]
    pub tenant_status: TenantStatus,
    pub reason: Option<String>,
}

impl Event {
    pub fn cursor(&self) -> Option<&Cursor> {
        Some(match self {
            Self::DeviceStatus(event) => &event.cursor,
            Self::DeviceQr(event) => &event.cursor,
            Self::MessageReceived(event) => &event.cursor,
            Self::MessageStatus(event) => &event.cursor,
            Self::ChatUpdated(event) => &event.cursor,
            Self::ChatsJoined(event) => &event.cursor,
            Self::QuotaWarning(event) => &event.cursor,
            Self::TenantStatus(event) => &event.cursor,
            Self::Unknown => return None,
        })
    }

    pub fn kind(&self) -> EventType {
        match self {
            Self::DeviceStatus(_) => EventType::DeviceStatus,
            Self::DeviceQr(_) => EventType::DeviceQr,
            Self::MessageReceived(_) => EventType::MessageReceived,
            Self::MessageStatus(_) => EventType::MessageStatus,
            Self::ChatUpdated(_) => EventType::ChatUpdated,
            Self::ChatsJoined(_) => EventType::ChatsJoined,
            Self::QuotaWarning(_) => EventType::QuotaWarning,
            Self::TenantStatus(_) => EventType::TenantStatus,
            Self::Unknown => EventType::Other,
        }
    }

    /// The device it carries in full.
    pub fn device(&self) -> Option<&Device> {
        match self {
            Self::DeviceStatus(event) => event.device.as_ref(),
            Self::DeviceQr(event) => event.device.as_ref(),
            _ => None,
        }
    }

    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::MessageReceived(event) => event.message.as_ref(),
            Self::MessageStatus(event) => event.message.as_ref(),
            _ => None,
        }
    }

    pub fn chat(&self) -> Option<&Chat> {
        match self {
            Self::ChatUpdated(event) => event.chat.as_ref(),
            Self::ChatsJoined(event) => event.chat.as_ref(),
            _ => None,
        }
    }
}
