//! Events before and after they have a number.

use entity::{ChatId, DeviceId, MessageId, event};
use serde_json::Value;

/// Something that is about to happen: it gets its number in the transaction that makes it true.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub r#type: event::Type,
    pub device_id: Option<DeviceId>,
    pub chat_id: Option<ChatId>,
    pub message_id: Option<MessageId>,
    /// What cannot be read from the changed row later.
    pub data: Value,
}

impl NewEvent {
    /// An event of the tenant itself.
    pub fn of_tenant(r#type: event::Type, data: Value) -> Self {
        Self {
            r#type,
            device_id: None,
            chat_id: None,
            message_id: None,
            data,
        }
    }

    /// An event of a device.
    pub fn of_device(r#type: event::Type, device_id: DeviceId, data: Value) -> Self {
        Self {
            r#type,
            device_id: Some(device_id),
            chat_id: None,
            message_id: None,
            data,
        }
    }

    /// An event of a chat.
    pub fn of_chat(r#type: event::Type, device_id: DeviceId, chat_id: ChatId) -> Self {
        Self {
            r#type,
            device_id: Some(device_id),
            chat_id: Some(chat_id),
            message_id: None,
            data: Value::Null,
        }
    }

    /// An event of a message.
    pub fn of_message(
        r#type: event::Type,
        device_id: DeviceId,
        chat_id: ChatId,
        message_id: MessageId,
        data: Value,
    ) -> Self {
        Self {
            r#type,
            device_id: Some(device_id),
            chat_id: Some(chat_id),
            message_id: Some(message_id),
            data,
        }
    }
}

/// Which events somebody wants.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only these types; empty is every type.
    pub types: Vec<event::Type>,
    /// Only this device's.
    pub device_id: Option<DeviceId>,
}
