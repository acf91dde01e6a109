//! Messages in the API.

use async_graphql::{Context, ID, Object, SimpleObject};
use entity::{chat, message};

use super::{
    Messages,
    inputs::{MessageFilter, MessageOrder, SendMessageInput},
    queries::{self, MessageSearch},
    service::{Accepted, NewMessage},
    views::Message,
};
use crate::{
    chats::schema::Chat,
    graphql::{
        GqlError, Payload, Refusal, UserError, answer,
        ids::parse,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    store::TenantScope,
    tenants::{Permission, principal, scope},
};

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
            PageArguments::new(first, after, last, before),
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
