//! The event feed: what keeps every page live.

use cynic::Id;

use super::{
    chats::Chat,
    devices::{Device, DeviceName, DeviceStatus},
    messages::{Message, MessageStatus},
    schema,
    values::{At, Cursor},
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

/// One event with the fresh object it is about.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
pub enum Event {
    DeviceStatusEvent(Box<DeviceStatusEvent>),
    DeviceQrEvent(Box<DeviceQrEvent>),
    MessageReceivedEvent(Box<MessageReceivedEvent>),
    MessageStatusEvent(Box<MessageStatusEvent>),
    ChatUpdatedEvent(Box<ChatUpdatedEvent>),
    #[cynic(fallback)]
    Unknown,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DeviceStatusEvent {
    pub id: Id,
    pub cursor: Cursor,
    pub at: At,
    pub device: Option<Device>,
    pub status: DeviceStatus,
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

impl Event {
    pub fn cursor(&self) -> Option<&Cursor> {
        Some(match self {
            Self::DeviceStatusEvent(event) => &event.cursor,
            Self::DeviceQrEvent(event) => &event.cursor,
            Self::MessageReceivedEvent(event) => &event.cursor,
            Self::MessageStatusEvent(event) => &event.cursor,
            Self::ChatUpdatedEvent(event) => &event.cursor,
            Self::Unknown => return None,
        })
    }

    /// The device it carries in full.
    pub fn device(&self) -> Option<&Device> {
        match self {
            Self::DeviceStatusEvent(event) => event.device.as_ref(),
            Self::DeviceQrEvent(event) => event.device.as_ref(),
            _ => None,
        }
    }

    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::MessageReceivedEvent(event) => event.message.as_ref(),
            Self::MessageStatusEvent(event) => event.message.as_ref(),
            _ => None,
        }
    }

    pub fn chat(&self) -> Option<&Chat> {
        match self {
            Self::ChatUpdatedEvent(event) => event.chat.as_ref(),
            _ => None,
        }
    }
}
