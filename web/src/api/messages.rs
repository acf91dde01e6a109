//! Messages: what was written, where it stands, and sending more.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    chats::ChatName,
    client,
    devices::DeviceName,
    error::{ApiError, accept},
    schema,
    values::{At, Backward, Jid, PhoneNumber, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Id,
    pub whatsapp_id: String,
    pub direction: Direction,
    pub sender: Party,
    pub recipient: Option<Party>,
    pub kind: MessageKind,
    pub content: MessageContent,
    pub status: MessageStatus,
    pub status_history: Vec<StatusChange>,
    pub error: Option<MessageError>,
    pub attempts: i32,
    pub created_at: At,
    pub device: DeviceName,
    pub chat: ChatName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Party {
    pub jid: Jid,
    pub phone_number: Option<PhoneNumber>,
    pub name: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct StatusChange {
    pub status: MessageStatus,
    pub at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct MessageError {
    pub code: String,
    pub message: String,
    pub whatsapp_code: Option<i32>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum MessageKind {
    Text,
    Image,
    Video,
    Gif,
    Audio,
    Voice,
    Document,
    Sticker,
    Location,
    Contacts,
    Poll,
    Buttons,
    List,
    Reaction,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum MessageStatus {
    Scheduled,
    Queued,
    Sending,
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Canceled,
    Expired,
    Received,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TextContent {
    pub body: String,
    pub link_preview: Option<LinkPreview>,
    pub mentions: Vec<Mention>,
    pub mentions_everyone: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Mention {
    pub phone_number: Option<PhoneNumber>,
    pub text: Option<String>,
    pub name: Option<String>,
    pub is_own: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct LinkPreview {
    pub url: String,
    pub title: String,
    pub description: Option<String>,
    pub thumbnail: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct OtherContent {
    pub description: String,
}

#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
pub enum MessageContent {
    TextContent(TextContent),
    OtherContent(OtherContent),
    #[cynic(fallback)]
    Unknown,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "MessageConnection")]
pub struct MessagePage {
    pub nodes: Vec<Message>,
    pub page_info: Backward,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct MessageFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    chat_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    sender: Option<PhoneNumber>,
}

#[derive(cynic::QueryVariables, Debug)]
struct BeforeVariables {
    filter: MessageFilter,
    last: i32,
    before: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "BeforeVariables")]
struct MessagesBefore {
    #[arguments(where: $filter, orderBy: CREATED_ASC, last: $last, before: $before)]
    messages: MessagePage,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SendMessageInput {
    device_id: Id,
    to: RecipientInput,
    content: MessageContentInput,
    #[cynic(skip_serializing_if = "Option::is_none")]
    mentions: Option<Vec<RecipientInput>>,
    mention_everyone: Option<bool>,
    idempotency_key: Option<String>,
}

/// A text to send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub body: String,
    /// Whether what the page behind its link says is to be shown.
    pub link_preview: bool,
    /// Whom it mentions.
    pub mentions: Vec<Jid>,
    pub mentions_everyone: bool,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub enum RecipientInput {
    Phone(String),
    Jid(Jid),
}

#[derive(cynic::InputObject, Clone, Debug)]
enum MessageContentInput {
    Text(TextInput),
}

#[derive(cynic::InputObject, Clone, Debug)]
struct TextInput {
    body: String,
    link_preview: Option<bool>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SendVariables {
    input: SendMessageInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SendVariables")]
struct SendMessage {
    #[arguments(input: $input)]
    send_message: MessagePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MessagePayload {
    message: Option<Message>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RetryMessage {
    #[arguments(id: $id)]
    retry_message: MessagePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct CancelMessage {
    #[arguments(id: $id)]
    cancel_message: MessagePayload,
}

/// The messages of a chat, oldest first: the newest `last` of those before the cursor.
pub async fn of_chat(chat_id: String, last: i32, before: Option<String>) -> Result<MessagePage, ApiError> {
    let filter = MessageFilter {
        chat_id: Some(Id::new(chat_id)),
        sender: None,
    };
    Ok(
        client::run(MessagesBefore::build(BeforeVariables { filter, last, before }))
            .await?
            .messages,
    )
}

/// The messages that came in from a number, oldest first: the newest `last` of those before the cursor.
pub async fn from_number(number: PhoneNumber, last: i32, before: Option<String>) -> Result<MessagePage, ApiError> {
    let filter = MessageFilter {
        chat_id: None,
        sender: Some(number),
    };
    let variables = BeforeVariables { filter, last, before };
    Ok(client::run(MessagesBefore::build(variables)).await?.messages)
}

/// Sends a text. The same key never sends twice.
pub async fn send_text(
    device_id: Id,
    to: RecipientInput,
    written: Written,
    idempotency_key: String,
) -> Result<Message, ApiError> {
    let content = MessageContentInput::Text(TextInput {
        body: written.body,
        link_preview: Some(written.link_preview),
    });
    // Without a list a text is sent as it is, whatever stands in braces.
    let mentions = written.mentions.into_iter().map(RecipientInput::Jid);
    let mentions: Vec<RecipientInput> = mentions.collect();
    let input = SendMessageInput {
        device_id,
        to,
        content,
        mentions: Some(mentions).filter(|mentions| !mentions.is_empty()),
        mention_everyone: Some(written.mentions_everyone),
        idempotency_key: Some(idempotency_key),
    };
    client::run(SendMessage::build(SendVariables { input }))
        .await?
        .send_message
        .into_result()
}

pub async fn retry(id: Id) -> Result<Message, ApiError> {
    client::run(RetryMessage::build(ById { id }))
        .await?
        .retry_message
        .into_result()
}

pub async fn cancel(id: Id) -> Result<Message, ApiError> {
    client::run(CancelMessage::build(ById { id }))
        .await?
        .cancel_message
        .into_result()
}

impl MessagePayload {
    fn into_result(self) -> Result<Message, ApiError> {
        accept(self.message, self.user_errors)
    }
}

impl MessageContent {
    /// The words of it, or what it is.
    pub fn text(&self) -> &str {
        match self {
            Self::TextContent(text) => &text.body,
            Self::OtherContent(other) => &other.description,
            Self::Unknown => "",
        }
    }
}
