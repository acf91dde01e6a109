//! The event log as clients see it: the `events` query and the subscriptions.
//!
//! It stands above the domains because an event shows the device, chat or message that it is about.

mod following;
mod views;

use std::collections::HashMap;

use async_graphql::{
    Context, ID, Object, Subscription,
    connection::{Connection, EmptyFields},
};
use entity::{ChatId, DeviceId, MessageId, event};
use futures::{StreamExt, stream};
use sea_orm::DbErr;

pub use self::views::{Event, EventType};
use self::{
    following::{Live, follow},
    views::Entry,
};
use crate::{
    devices::views::Device,
    events::{self, EventFilter},
    graphql::{
        GqlError, ids,
        pagination::{PageArguments, Rows, uncounted},
        scalars::Cursor,
    },
    messages::{self, relations, views::Message},
    store::TenantScope,
    tenants::{Permission, principal, scope},
};

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

/// Each id once, at its last place: the rows are read as they are now anyway.
fn newest_of_each<T: Copy + Eq + std::hash::Hash>(ids: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    let mut ids: Vec<T> = ids.collect();
    ids.reverse();
    ids.retain(|id| seen.insert(*id));
    ids.reverse();
    ids
}
