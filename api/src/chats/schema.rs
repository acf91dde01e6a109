//! Chats in the API.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, chat};

use super::queries::{self, ChatSearch};
use crate::{
    graphql::{
        GqlError, ids,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
        scalars::{Jid, PhoneNumber},
    },
    store::TenantScope,
    tenants::{Permission, principal, scope},
};

/// Whom a chat is with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "chat::Kind")]
pub enum ChatKind {
    /// One person.
    Direct,
    /// A group.
    Group,
    /// Status updates.
    Status,
    /// A channel.
    Newsletter,
    /// A broadcast list.
    Broadcast,
}

/// A conversation of a device with a person or a group.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Chat {
    /// Opaque id, `cht_…`.
    pub id: ID,
    /// The other side's address.
    pub jid: Jid,
    /// Whom it is with.
    pub kind: ChatKind,
    /// What the other side calls itself or the group is called, else its number or address.
    pub name: String,
    /// The other side's number, in direct chats where it is known.
    pub phone_number: Option<PhoneNumber>,
    /// Incoming messages since the chat was last marked as read.
    pub unread_count: i32,
    /// When the newest message passed through.
    pub last_message_at: Option<DateTime<Utc>>,
    /// When the first message passed through.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row_id: ChatId,
    #[graphql(skip)]
    pub device_id: DeviceId,
    #[graphql(skip)]
    pub last_message_id: Option<MessageId>,
}

impl From<chat::Model> for Chat {
    fn from(row: chat::Model) -> Self {
        let name = row
            .name
            .or_else(|| row.phone_number.clone())
            .unwrap_or_else(|| row.jid.clone());
        Self {
            id: ID(row.id.to_string()),
            jid: Jid(row.jid),
            kind: row.kind.into(),
            name,
            phone_number: row.phone_number.map(PhoneNumber),
            unread_count: row.unread_count,
            last_message_at: row.last_message_at,
            created_at: row.created_at,
            row_id: row.id,
            device_id: row.device_id,
            last_message_id: row.last_message_id,
        }
    }
}

/// Which chats. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ChatFilter {
    /// One of these kinds.
    pub kind: Option<Vec<ChatKind>>,
    /// Only those with unread messages, or only those without.
    pub unread: Option<bool>,
    /// Part of the name, number or address, whatever its case.
    pub text: Option<String>,
}

/// Queries of chats.
#[derive(Default)]
pub struct ChatQuery;

#[Object]
impl ChatQuery {
    /// Conversations, the most recent first; of one device, or of all of the tenant's.
    async fn chats(
        &self,
        ctx: &Context<'_>,
        device_id: Option<ID>,
        #[graphql(name = "where")] filter: Option<ChatFilter>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<CountedConnection<Chat>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        let device_id = device_id.as_ref().map(ids::narrow);
        page(scope(ctx)?, device_id, filter, PageArguments::forward(first, after)).await
    }
}

/// A page of a device's, or the tenant's, chats.
pub async fn page(
    scope: TenantScope,
    device_id: Option<DeviceId>,
    filter: Option<ChatFilter>,
    page: PageArguments,
) -> Result<CountedConnection<Chat>, GqlError> {
    let ChatFilter { kind, unread, text } = filter.unwrap_or_default();
    let kind = kind.unwrap_or_default().into_iter().map(Into::into).collect();
    let search = ChatSearch {
        device_id,
        kind,
        unread,
        text,
    };
    let rows = queries::list(&scope, &search, &page.parse()?).await?;
    let total = TotalCount::by(move || {
        let (scope, search) = (scope.clone(), search.clone());
        async move { Ok(queries::count(&scope, &search).await?) }
    });
    Ok(counted(rows, total, |row| {
        ((row.last_message_at.unwrap_or(row.created_at), row.id), Chat::from(row))
    }))
}
