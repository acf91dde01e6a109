//! Two chats of one person become one.
//!
//! A person may be written to by hidden address (LID) before anybody tells the number. When both are known to be one
//! person's, the messages move to the chat that goes by the number, what is unread adds up, and an event tells which
//! chat is gone.
//!
//! **Invariant:** joining twice changes nothing, and nothing can appear under the hidden address meanwhile or later:
//! `chats/addresses.rs` says why.

use std::{collections::BTreeSet, time::Duration};

use entity::{DeviceId, chat, event, message};
use sea_orm::{ColumnTrait, DbErr, ExprTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::SimpleExpr};

use crate::{
    chats::{
        addresses::{self, Pair},
        types::phone_of,
    },
    devices::LeasedDevice,
    events::{EventLog, NewEvent},
    store::{Batcher, Stopped, Store, TenantTx, by_tenant, until_written},
};

/// Learns which addresses are one person's. Cheap to clone.
#[derive(Clone)]
pub struct Joining {
    batcher: Batcher<(LeasedDevice, Pair), ()>,
}

impl Joining {
    /// Starts the task that writes.
    pub fn start(store: Store, events: EventLog) -> Self {
        let batcher = Batcher::start(256, Duration::ZERO, move |items: Vec<(LeasedDevice, Pair)>| {
            let (store, events) = (store.clone(), events.clone());
            async move {
                let count = items.len();
                for (tenant_id, items) in by_tenant(items, |(lease, _)| lease.tenant()) {
                    let written = until_written(&store, || write(&store, &events, &items)).await;
                    if let Err(error) = written {
                        // The pair is told again with the person's first message after the next start.
                        tracing::error!(%error, tenant = %tenant_id, "could not note whose two addresses these are");
                    }
                }
                vec![(); count]
            }
        });
        Self { batcher }
    }

    /// Queues the news that both addresses are one person's.
    pub async fn tell(&self, lease: LeasedDevice, lid: String, phone_jid: String) -> Result<(), Stopped> {
        let device_id = lease.id();
        let pair = Pair {
            device_id,
            lid,
            phone_jid,
        };
        self.batcher.enqueue((lease, pair)).await.map(|_| ())
    }

    /// Waits until everything that was told before is written.
    pub async fn flushed(&self) {
        self.batcher.flushed().await;
    }
}

async fn write(store: &Store, events: &EventLog, items: &[(LeasedDevice, Pair)]) -> Result<(), DbErr> {
    let Some((lease, _)) = items.first() else {
        return Ok(());
    };
    let scope = store.scope(lease);
    let mut news = BTreeSet::new();
    for (_, pair) in items {
        if !addresses::is_noted(&scope, pair).await? {
            news.insert(pair.clone());
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    let tx = scope.begin().await?;
    addresses::note(&tx, &news).await?;
    let mut told = Vec::new();
    for pair in &news {
        told.extend(join(&tx, pair).await?);
    }
    events.commit(tx, told).await
}

/// Makes one chat of what may be two; answers what is to be told.
async fn join(tx: &TenantTx, pair: &Pair) -> Result<Option<NewEvent>, DbErr> {
    let Some(hidden) = hold(tx, pair.device_id, &pair.lid).await? else {
        return Ok(None);
    };
    let Some(numbered) = hold(tx, pair.device_id, &pair.phone_jid).await? else {
        rename(tx, &hidden, pair).await?;
        move_messages(tx, &hidden, &hidden, pair).await?;
        return Ok(Some(NewEvent::of_chat(
            event::Type::ChatUpdated,
            hidden.device_id,
            hidden.id,
        )));
    };
    let doubles = drop_doubles(tx, &hidden, &numbered).await?;
    move_messages(tx, &hidden, &numbered, pair).await?;
    let unread = numbered.unread_count + Ord::max(hidden.unread_count - doubles, 0);
    let newest = if hidden.last_message_at > numbered.last_message_at {
        &hidden
    } else {
        &numbered
    };
    tx.update::<chat::Entity>()
        .set(chat::Column::UnreadCount, unread)
        .set(chat::Column::LastMessageId, newest.last_message_id)
        .set(chat::Column::LastMessageAt, newest.last_message_at)
        .set(chat::Column::Name, numbered.name.clone().or(hidden.name.clone()))
        .set(
            chat::Column::CreatedAt,
            Ord::min(numbered.created_at, hidden.created_at),
        )
        .filter(chat::Column::Id.eq(numbered.id))
        .execute()
        .await?;
    tx.delete::<chat::Entity>(chat::Column::Id.eq(hidden.id)).await?;
    Ok(Some(NewEvent {
        data: serde_json::json!({ "goneId": hidden.id.to_string() }),
        ..NewEvent::of_chat(event::Type::ChatsJoined, numbered.device_id, numbered.id)
    }))
}

/// A device's chat with this address, which nobody else changes until the commit.
async fn hold(tx: &TenantTx, device_id: DeviceId, jid: &str) -> Result<Option<chat::Model>, DbErr> {
    let held = tx
        .update::<chat::Entity>()
        .set(chat::Column::Kind, chat::Kind::Direct)
        .filter(chat::Column::DeviceId.eq(device_id))
        .filter(chat::Column::Jid.eq(jid))
        .returning()
        .await?;
    Ok(held.into_iter().next())
}

async fn rename(tx: &TenantTx, hidden: &chat::Model, pair: &Pair) -> Result<(), DbErr> {
    tx.update::<chat::Entity>()
        .set(chat::Column::Jid, pair.phone_jid.clone())
        .set(chat::Column::PhoneNumber, phone_of(&pair.phone_jid))
        .filter(chat::Column::Id.eq(hidden.id))
        .execute()
        .await
        .map(|_| ())
}

/// Deletes what was stored under both addresses, because it was delivered again after the number was known.
async fn drop_doubles(tx: &TenantTx, hidden: &chat::Model, numbered: &chat::Model) -> Result<i32, DbErr> {
    use message::{Column, Entity};
    let incoming = |chat: &chat::Model| {
        Column::ChatId
            .eq(chat.id)
            .and(Column::Direction.eq(message::Direction::In))
    };
    let of_numbered = <Entity as sea_orm::EntityTrait>::find()
        .select_only()
        .column(Column::WhatsappId)
        .filter(incoming(numbered))
        .into_query();
    let doubles: SimpleExpr = incoming(hidden).and(Column::WhatsappId.in_subquery(of_numbered));
    let dropped = tx.delete::<Entity>(doubles).await?;
    Ok(i32::try_from(dropped).unwrap_or(i32::MAX))
}

/// Moves the messages of one chat into another, and writes the number where the hidden address stood. The address that
/// an outgoing message is sent to stays: an attempt may be under way.
async fn move_messages(tx: &TenantTx, from: &chat::Model, to: &chat::Model, pair: &Pair) -> Result<(), DbErr> {
    use message::Column;
    let phone = phone_of(&pair.phone_jid);
    tx.update::<message::Entity>()
        .set(Column::SenderJid, pair.phone_jid.clone())
        .set(Column::SenderPhone, phone.clone())
        .filter(Column::ChatId.eq(from.id))
        .filter(Column::SenderJid.eq(&pair.lid))
        .execute()
        .await?;
    tx.update::<message::Entity>()
        .set(Column::RecipientPhone, phone)
        .filter(Column::ChatId.eq(from.id))
        .filter(Column::RecipientJid.eq(&pair.lid))
        .execute()
        .await?;
    if from.id == to.id {
        return Ok(());
    }
    tx.update::<message::Entity>()
        .set(Column::ChatId, to.id)
        .filter(Column::ChatId.eq(from.id))
        .execute()
        .await
        .map(|_| ())
}
