//! Groups are called by their subject, which WhatsApp tells.
//!
//! **Invariant:** a subject names the chat that there is and makes none: a group in which nobody wrote is no conversation.

use std::{collections::BTreeMap, time::Duration};

use entity::{DeviceId, chat, event};
use sea_orm::{ColumnTrait, DbErr, ExprTrait};

use super::queries;
use crate::{
    devices::LeasedDevice,
    events::{EventLog, NewEvent},
    store::{Batcher, Stopped, Store, by_tenant, until_written},
};

/// Longer subjects are cut. WhatsApp's own limit is 100.
const LONGEST: usize = 255;

struct News {
    lease: LeasedDevice,
    group: String,
    subject: String,
}

/// Learns what groups are called. Cheap to clone.
#[derive(Clone)]
pub struct GroupNames {
    batcher: Batcher<News, ()>,
}

impl GroupNames {
    /// Starts the task that writes.
    pub fn start(store: Store, events: EventLog) -> Self {
        let batcher = Batcher::start(256, Duration::ZERO, move |items: Vec<News>| {
            let (store, events) = (store.clone(), events.clone());
            async move {
                let count = items.len();
                for (tenant_id, items) in by_tenant(items, |item| item.lease.tenant()) {
                    let written = until_written(&store, || write(&store, &events, &items)).await;
                    if let Err(error) = written {
                        // It is asked for again after the next start.
                        tracing::error!(%error, tenant = %tenant_id, "could not note what a group is called");
                    }
                }
                vec![(); count]
            }
        });
        Self { batcher }
    }

    /// Queues the news of what a device's group is called.
    pub async fn tell(&self, lease: LeasedDevice, group: String, subject: &str) -> Result<(), Stopped> {
        let subject = subject.chars().take(LONGEST).collect();
        let item = News { lease, group, subject };
        self.batcher.enqueue(item).await.map(|_| ())
    }

    /// Waits until everything that was told before is written.
    pub async fn flushed(&self) {
        self.batcher.flushed().await;
    }
}

async fn write(store: &Store, events: &EventLog, items: &[News]) -> Result<(), DbErr> {
    use chat::Column;
    let Some(News { lease, .. }) = items.first() else {
        return Ok(());
    };
    let scope = store.scope(lease);
    // The newest of each group, in the order in which chats are locked.
    let mut subjects: BTreeMap<(DeviceId, &str), &str> = items
        .iter()
        .map(|item| ((item.lease.id(), item.group.as_str()), item.subject.as_str()))
        .collect();
    let groups: Vec<_> = subjects.keys().copied().collect();
    for (device_id, group, name) in queries::names(&scope, &groups).await? {
        subjects.retain(|key, subject| *key != (device_id, group.as_str()) || *subject != name);
    }
    if subjects.is_empty() {
        return Ok(());
    }
    let tx = scope.begin().await?;
    let mut told = Vec::new();
    for ((device_id, group), subject) in subjects {
        let named = tx
            .update::<chat::Entity>()
            .set(Column::Name, subject)
            .filter(Column::DeviceId.eq(device_id))
            .filter(Column::Jid.eq(group))
            .filter(Column::Name.is_null().or(Column::Name.ne(subject)))
            .returning()
            .await?;
        let news = |chat: chat::Model| NewEvent::of_chat(event::Type::ChatUpdated, chat.device_id, chat.id);
        told.extend(named.into_iter().map(news));
    }
    events.commit(tx, told).await
}
