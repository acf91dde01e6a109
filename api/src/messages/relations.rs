//! The fields by which devices, chats and messages lead to each other.
//!
//! They stand here because messages know chats and devices, and not the other way round. Every field is batched: a page
//! of rows asks once for each of its fields.

use std::collections::HashMap;

use async_graphql::{
    ComplexObject, Context,
    dataloader::{DataLoader, Loader},
};
use entity::{ChatId, DeviceId, MessageId, chat, device, message, receipt};

use super::{
    queries::{self, MessageSearch},
    queue,
    views::{Message, Receipt},
};
use crate::{
    chats::{
        self,
        schema::{Chat, ChatFilter},
    },
    devices::{
        self, Devices,
        views::{Device, PairingCode, QrCode},
    },
    graphql::{
        GqlError,
        pagination::{CountedConnection, PageArguments},
    },
    store::TenantScope,
    tenants::{Permission, principal, scope},
};

/// Loads rows of one tenant for one request, many at a time.
pub struct Rows {
    scope: TenantScope,
}

/// The loader of a request.
pub type RowLoader = DataLoader<Rows>;

/// A loader for a caller's request.
pub fn loader(scope: TenantScope) -> RowLoader {
    DataLoader::new(Rows { scope }, tokio::spawn)
}

/// What waits in a device's queue.
#[derive(Clone, Copy, Debug, Default, async_graphql::SimpleObject)]
pub struct QueueDepth {
    /// Messages that wait for their turn or their time.
    pub waiting: i64,
    /// Messages on their way to WhatsApp's server.
    pub sending: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueOf(pub DeviceId);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnreadOf(pub DeviceId);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceiptsOf(pub MessageId);
/// A person as a device knows them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonOf(pub DeviceId, pub String);

impl Loader<DeviceId> for Rows {
    type Value = device::Model;
    type Error = GqlError;

    async fn load(&self, ids: &[DeviceId]) -> Result<HashMap<DeviceId, device::Model>, GqlError> {
        devices::queries::find_many(&self.scope, ids)
            .await
            .map_err(GqlError::from)
    }
}

impl Loader<ChatId> for Rows {
    type Value = chat::Model;
    type Error = GqlError;

    async fn load(&self, ids: &[ChatId]) -> Result<HashMap<ChatId, chat::Model>, GqlError> {
        chats::queries::find_many(&self.scope, ids)
            .await
            .map_err(GqlError::from)
    }
}

impl Loader<MessageId> for Rows {
    type Value = message::Model;
    type Error = GqlError;

    async fn load(&self, ids: &[MessageId]) -> Result<HashMap<MessageId, message::Model>, GqlError> {
        queries::find_many(&self.scope, ids).await.map_err(GqlError::from)
    }
}

impl Loader<QueueOf> for Rows {
    type Value = QueueDepth;
    type Error = GqlError;

    async fn load(&self, keys: &[QueueOf]) -> Result<HashMap<QueueOf, QueueDepth>, GqlError> {
        let ids: Vec<DeviceId> = keys.iter().map(|key| key.0).collect();
        let mut depths: HashMap<QueueOf, QueueDepth> = HashMap::new();
        for (id, sending, count) in queue::depths(&self.scope, &ids).await? {
            let depth = depths.entry(QueueOf(id)).or_default();
            if sending {
                depth.sending += count;
            } else {
                depth.waiting += count;
            }
        }
        Ok(depths)
    }
}

impl Loader<UnreadOf> for Rows {
    type Value = i64;
    type Error = GqlError;

    async fn load(&self, keys: &[UnreadOf]) -> Result<HashMap<UnreadOf, i64>, GqlError> {
        let ids: Vec<DeviceId> = keys.iter().map(|key| key.0).collect();
        let counts = chats::queries::unread_by_device(&self.scope, &ids).await?;
        Ok(counts.into_iter().map(|(id, count)| (UnreadOf(id), count)).collect())
    }
}

impl Loader<ReceiptsOf> for Rows {
    type Value = Vec<receipt::Model>;
    type Error = GqlError;

    async fn load(&self, keys: &[ReceiptsOf]) -> Result<HashMap<ReceiptsOf, Vec<receipt::Model>>, GqlError> {
        let ids: Vec<MessageId> = keys.iter().map(|key| key.0).collect();
        let mut receipts: HashMap<ReceiptsOf, Vec<receipt::Model>> = HashMap::new();
        for row in queries::receipts(&self.scope, &ids).await? {
            receipts.entry(ReceiptsOf(row.message_id)).or_default().push(row);
        }
        Ok(receipts)
    }
}

impl Loader<PersonOf> for Rows {
    type Value = String;
    type Error = GqlError;

    async fn load(&self, people: &[PersonOf]) -> Result<HashMap<PersonOf, String>, GqlError> {
        let people: Vec<(DeviceId, &str)> = people.iter().map(|person| (person.0, person.1.as_str())).collect();
        let known = chats::queries::names(&self.scope, &people).await?;
        let answers = known.into_iter().map(|(id, jid, name)| (PersonOf(id, jid), name));
        Ok(answers.collect())
    }
}

/// The loader, for callers who may read: a mutation's answer leads to rows beyond what it changed.
fn rows<'a>(ctx: &Context<'a>) -> Result<&'a RowLoader, GqlError> {
    principal(ctx)?.require(Permission::Read)?;
    ctx.data_opt::<RowLoader>().ok_or_else(GqlError::unauthenticated)
}

fn readable(ctx: &Context<'_>) -> Result<TenantScope, GqlError> {
    principal(ctx)?.require(Permission::Read)?;
    scope(ctx)
}

/// A device that a row refers to.
pub async fn device(ctx: &Context<'_>, id: DeviceId) -> Result<Device, GqlError> {
    find_device(ctx, id)
        .await?
        .ok_or_else(|| GqlError::internal("a row refers to a device that is gone"))
}

/// A device, if it still exists.
pub async fn find_device(ctx: &Context<'_>, id: DeviceId) -> Result<Option<Device>, GqlError> {
    Ok(rows(ctx)?.load_one(id).await?.map(Device::from))
}

/// A chat that a row refers to.
pub async fn chat(ctx: &Context<'_>, id: ChatId) -> Result<Chat, GqlError> {
    find_chat(ctx, id)
        .await?
        .ok_or_else(|| GqlError::internal("a row refers to a chat that is gone"))
}

/// A chat, if it still exists.
pub async fn find_chat(ctx: &Context<'_>, id: ChatId) -> Result<Option<Chat>, GqlError> {
    Ok(rows(ctx)?.load_one(id).await?.map(Chat::from))
}

/// A message, if it still exists.
pub async fn find_message(ctx: &Context<'_>, id: MessageId) -> Result<Option<Message>, GqlError> {
    Ok(rows(ctx)?.load_one(id).await?.map(Message::from))
}

/// What a person calls themselves, as far as a device knows.
pub async fn name_of(ctx: &Context<'_>, id: DeviceId, jid: &str) -> Result<Option<String>, GqlError> {
    if let Some(own) = own_account(ctx, id, jid).await? {
        return Ok(own.push_name);
    }
    rows(ctx)?.load_one(PersonOf(id, jid.to_owned())).await
}

/// Whether an address is the device's own account.
pub async fn is_own(ctx: &Context<'_>, id: DeviceId, jid: &str) -> Result<bool, GqlError> {
    Ok(own_account(ctx, id, jid).await?.is_some())
}

/// The device, when the address is its own.
async fn own_account(ctx: &Context<'_>, id: DeviceId, jid: &str) -> Result<Option<device::Model>, GqlError> {
    let device: Option<device::Model> = rows(ctx)?.load_one(id).await?;
    Ok(device.filter(|device| {
        [&device.jid, &device.lid]
            .into_iter()
            .flatten()
            .any(|own| same_account(own, jid))
    }))
}

/// Whether two addresses are of one account, whichever of its devices they name.
fn same_account(one: &str, other: &str) -> bool {
    let account = |jid: &str| {
        let (user, server) = jid.split_once('@')?;
        Some((user.split([':', '.']).next()?.to_owned(), server.to_owned()))
    };
    account(one).is_some() && account(one) == account(other)
}

/// What participants of a group did with a message.
pub async fn receipts(ctx: &Context<'_>, id: MessageId) -> Result<Vec<Receipt>, GqlError> {
    let receipts = rows(ctx)?.load_one(ReceiptsOf(id)).await?.unwrap_or_default();
    Ok(receipts.into_iter().map(Receipt::from).collect())
}

#[ComplexObject]
impl Device {
    /// The code to scan. Only while status is QR_READY; null otherwise.
    async fn qr(&self, ctx: &Context<'_>) -> Option<QrCode> {
        ctx.data_unchecked::<Devices>().qr(self.row_id).and_then(QrCode::draw)
    }

    /// The code to type on the phone, after `requestPairingCode`; null otherwise.
    async fn pairing_code(&self, ctx: &Context<'_>) -> Option<PairingCode> {
        let code = ctx.data_unchecked::<Devices>().pairing_code(self.row_id);
        code.map(|code| PairingCode {
            code: code.code,
            expires_at: code.expires_at,
        })
    }

    /// What waits to be sent.
    async fn queue(&self, ctx: &Context<'_>) -> Result<QueueDepth, GqlError> {
        Ok(rows(ctx)?.load_one(QueueOf(self.row_id)).await?.unwrap_or_default())
    }

    /// Unread messages over all of its chats.
    async fn unread_count(&self, ctx: &Context<'_>) -> Result<i64, GqlError> {
        Ok(rows(ctx)?.load_one(UnreadOf(self.row_id)).await?.unwrap_or_default())
    }

    /// Its conversations, the most recent first.
    async fn chats(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<ChatFilter>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<CountedConnection<Chat>, GqlError> {
        chats::schema::page(
            readable(ctx)?,
            Some(self.row_id),
            filter,
            PageArguments::forward(first, after),
        )
        .await
    }
}

#[ComplexObject]
impl Chat {
    /// The device that holds the conversation.
    async fn device(&self, ctx: &Context<'_>) -> Result<Device, GqlError> {
        device(ctx, self.device_id).await
    }

    /// The newest message.
    async fn last_message(&self, ctx: &Context<'_>) -> Result<Option<Message>, GqlError> {
        match self.last_message_id {
            Some(id) => find_message(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Its messages, newest first: `first`/`after` go back in time, `last`/`before` forward.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Message>, GqlError> {
        let search = MessageSearch {
            chat_id: Some(self.row_id),
            ..MessageSearch::default()
        };
        super::schema::page(
            readable(ctx)?,
            search,
            false,
            PageArguments::new(first, after, last, before),
        )
        .await
    }
}
