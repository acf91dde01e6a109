//! Chats: conversations of a device.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    devices::DeviceName,
    error::{ApiError, accept},
    messages::Message,
    schema,
    values::{At, Forward, Jid, PhoneNumber, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Chat {
    pub id: Id,
    pub device: DeviceName,
    pub jid: Jid,
    pub kind: ChatKind,
    pub name: String,
    pub phone_number: Option<PhoneNumber>,
    pub unread_count: i32,
    pub last_message: Option<Message>,
    pub last_message_at: Option<At>,
}

/// What a message tells of its chat.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Chat")]
pub struct ChatName {
    pub id: Id,
    pub name: String,
    pub phone_number: Option<PhoneNumber>,
    pub unread_count: i32,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum ChatKind {
    Direct,
    Group,
    Status,
    Newsletter,
    Broadcast,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::InputObject, Clone, Debug, Default, PartialEq)]
pub struct ChatFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ChatsVariables {
    device_id: Option<Id>,
    filter: ChatFilter,
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ChatsVariables")]
struct Chats {
    #[arguments(deviceId: $device_id, where: $filter, first: $first, after: $after)]
    chats: ChatPage,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "ChatConnection")]
pub struct ChatPage {
    pub nodes: Vec<Chat>,
    pub page_info: Forward,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
struct OneChat {
    #[arguments(id: $id)]
    node: Option<ChatNode>,
}

#[derive(cynic::InlineFragments, Debug)]
#[cynic(graphql_type = "Node")]
enum ChatNode {
    Chat(Box<Chat>),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct MarkChatRead {
    #[arguments(chatId: $id)]
    mark_chat_read: ChatPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ChatPayload {
    chat: Option<Chat>,
    user_errors: Vec<UserError>,
}

/// Chats of one device or of all, the most recent first.
pub async fn list(
    device_id: Option<String>,
    filter: ChatFilter,
    first: i32,
    after: Option<String>,
) -> Result<ChatPage, ApiError> {
    let variables = ChatsVariables {
        device_id: device_id.map(Id::new),
        filter,
        first,
        after,
    };
    Ok(client::run(Chats::build(variables)).await?.chats)
}

pub async fn get(id: String) -> Result<Option<Chat>, ApiError> {
    let node = client::run(OneChat::build(ById { id: Id::new(id) })).await?.node;
    Ok(match node {
        Some(ChatNode::Chat(chat)) => Some(*chat),
        Some(ChatNode::Other) | None => None,
    })
}

pub async fn mark_read(id: Id) -> Result<Chat, ApiError> {
    let payload = client::run(MarkChatRead::build(ById { id })).await?.mark_chat_read;
    accept(payload.chat, payload.user_errors)
}
