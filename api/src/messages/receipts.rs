//! Receipts come in here: the server's acks and refusals, and what recipients did.
//!
//! They are written in batches. A batch that cannot be written waits for the database; meanwhile the engine is held back
//! by the bounded queue.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, message};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::{
    attempts::{self, Failure},
    outbox::{reached_event, status_event},
    participants, queue,
    recent::{Recent, Sent},
    steps::{Heard, Named, Step, Told, acknowledged, steps},
    types::{before, has_reached},
    waiting::Waiting,
};
use crate::{
    clock::Clock,
    devices::LeasedDevice,
    events::{EventLog, NewEvent},
    store::{Batcher, Stopped, Store, TenantTx, Update, by_tenant, until_written},
};

/// How close batches follow each other while much is heard.
const LINGER: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
struct Item {
    lease: LeasedDevice,
    at: DateTime<Utc>,
    heard: Heard,
}

impl Item {
    fn told(&self) -> Told<'_> {
        Told {
            device_id: self.lease.id(),
            at: self.at,
            heard: &self.heard,
        }
    }
}

/// Takes what was heard. Cheap to clone.
#[derive(Clone)]
pub struct Receipts {
    batcher: Batcher<Item, ()>,
}

struct Parts {
    store: Store,
    clock: Clock,
    events: EventLog,
    waiting: Waiting,
    recent: Recent,
}

impl Receipts {
    /// Starts the task that writes.
    pub fn start(store: Store, clock: Clock, events: EventLog, waiting: Waiting, recent: Recent) -> Self {
        let parts = std::sync::Arc::new(Parts {
            store,
            clock,
            events,
            waiting,
            recent,
        });
        let batcher = Batcher::start(1024, LINGER, move |items: Vec<Item>| {
            let parts = parts.clone();
            async move {
                let count = items.len();
                record(&parts, items).await;
                vec![(); count]
            }
        });
        Self { batcher }
    }

    /// Queues what was heard; the order of one device's items is kept.
    pub async fn tell(&self, lease: LeasedDevice, at: DateTime<Utc>, heard: Heard) -> Result<(), Stopped> {
        self.batcher.enqueue(Item { lease, at, heard }).await.map(|_| ())
    }

    /// Waits until everything that was told before is written.
    pub async fn flushed(&self) {
        self.batcher.flushed().await;
    }
}

async fn record(parts: &Parts, items: Vec<Item>) {
    for (tenant_id, items) in by_tenant(items, |item| item.lease.tenant()) {
        match until_written(&parts.store, || write(parts, &items)).await {
            Ok(changed) => changed.into_iter().for_each(|id| parts.waiting.changed(id)),
            Err(error) => tracing::error!(%error, tenant = %tenant_id, "could not record receipts"),
        }
    }
}

/// Writes one tenant's items. Answers the messages that changed.
async fn write(parts: &Parts, items: &[Item]) -> Result<Vec<MessageId>, DbErr> {
    if let Some(changed) = try_write(parts, items, Answer::Count).await? {
        return Ok(changed);
    }
    let changed = try_write(parts, items, Answer::Rows).await?;
    changed.ok_or(DbErr::RecordNotUpdated)
}

/// What an update answers of messages that were sent a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// How many moved. Nearly always all of them did, and the database need not name them.
    Count,
    /// Which of them moved.
    Rows,
}

/// Writes one tenant's items in one transaction; `None`, and nothing is written, when counting did not tell which messages
/// changed.
async fn try_write(parts: &Parts, items: &[Item], answer: Answer) -> Result<Option<Vec<MessageId>>, DbErr> {
    let Some(first) = items.first() else {
        return Ok(Some(Vec::new()));
    };
    let tx = parts.store.scope(&first.lease).begin().await?;
    let mut told: Vec<NewEvent> = Vec::new();
    let heard: Vec<Told<'_>> = items.iter().map(Item::told).collect();
    let mut taken = acknowledged(&heard);
    let mut reached: Vec<(DeviceId, &str, message::Status)> = Vec::new();
    let mut done: HashSet<MessageId> = HashSet::new();
    for step in steps(&heard) {
        let Some(moved) = advance(parts, &tx, &step, answer).await? else {
            return Ok(None);
        };
        for Moved { named, sent, queued } in moved {
            if queued {
                done.insert(sent.id);
            }
            let Named { device_id, whatsapp_id } = named;
            let newly_taken = taken.remove(&named);
            if newly_taken && step.status != message::Status::Sent {
                told.push(reached_event(device_id, sent.chat_id, sent.id, message::Status::Sent));
                reached.push((device_id, whatsapp_id, message::Status::Sent));
            }
            told.push(reached_event(device_id, sent.chat_id, sent.id, step.status));
            reached.push((device_id, whatsapp_id, step.status));
        }
    }
    queue::leave(&tx, done).await?;
    participants::record(&tx, &heard).await?;
    let refused = refuse(parts, &tx, items).await?;
    told.extend(refused.iter().map(status_event));
    let changed = told.iter().filter_map(|event| event.message_id).collect();
    parts.events.commit(tx, told).await?;
    // Counted once it is true: a batch may be taken back and tried again.
    for status in [
        message::Status::Sent,
        message::Status::Delivered,
        message::Status::Read,
        message::Status::Played,
    ] {
        super::count(status, reached.iter().filter(|(_, _, to)| *to == status).count());
    }
    parts.recent.reached(reached);
    super::count(message::Status::Failed, refused.len());
    Ok(Some(changed))
}

/// A message that came further.
#[derive(Clone, Copy, Debug)]
struct Moved<'a> {
    named: Named<'a>,
    sent: Sent,
    /// It may still have had its place in the queue.
    queued: bool,
}

/// Moves messages forward; answers which moved, or `None` if it takes [`Answer::Rows`] to tell.
async fn advance<'a>(
    parts: &Parts,
    tx: &TenantTx,
    step: &Step<'a>,
    answer: Answer,
) -> Result<Option<Vec<Moved<'a>>>, DbErr> {
    use message::Column;
    let mut of_device: HashMap<DeviceId, Vec<&'a str>> = HashMap::new();
    for message in &step.messages {
        of_device
            .entry(message.device_id)
            .or_default()
            .push(message.whatsapp_id);
    }
    let mut moved = Vec::with_capacity(step.messages.len());
    let mut recent: HashMap<MessageId, Moved<'a>> = HashMap::new();
    for (device_id, whatsapp_ids) in of_device {
        let (known, unknown) = parts.recent.find(device_id, whatsapp_ids);
        // What is in the database already is heard again from every other device of the recipient.
        let news = known
            .into_iter()
            .filter(|(_, _, reached)| !has_reached(*reached, step.status));
        recent.extend(news.map(|(whatsapp_id, sent, reached)| {
            let moved = Moved {
                named: Named { device_id, whatsapp_id },
                sent,
                queued: !has_reached(reached, message::Status::Sent),
            };
            (sent.id, moved)
        }));
        if unknown.is_empty() {
            continue;
        }
        let names: HashSet<&'a str> = unknown.iter().copied().collect();
        let rows: Vec<(MessageId, ChatId, String)> = forward(tx, step)
            .filter(Column::DeviceId.eq(device_id))
            .among(Column::WhatsappId, unknown)
            .filter(Column::Direction.eq(message::Direction::Out))
            .returning_tuples([Column::Id, Column::ChatId, Column::WhatsappId])
            .await?;
        moved.extend(rows.into_iter().filter_map(|(id, chat_id, whatsapp_id)| {
            let whatsapp_id = *names.get(whatsapp_id.as_str())?;
            Some(Moved {
                named: Named { device_id, whatsapp_id },
                sent: Sent { id, chat_id },
                queued: true,
            })
        }));
    }
    if recent.is_empty() {
        return Ok(Some(moved));
    }
    let update = forward(tx, step).among(Column::Id, recent.keys().copied());
    if answer == Answer::Rows {
        let rows: Vec<(MessageId,)> = update.returning_tuples([Column::Id]).await?;
        moved.extend(rows.into_iter().filter_map(|(id,)| recent.get(&id).copied()));
    } else if update.execute().await? == recent.len() as u64 {
        moved.extend(recent.into_values());
    } else {
        return Ok(None);
    }
    Ok(Some(moved))
}

/// The update of a step, but for which messages it is about.
fn forward<'tx>(tx: &'tx TenantTx, step: &Step<'_>) -> Update<'tx, DatabaseTransaction, message::Entity> {
    use message::Column;
    let unless_known = |column: Column| -> SimpleExpr {
        Func::coalesce([SimpleExpr::from(Expr::col(column)), SimpleExpr::Value(step.at.into())]).into()
    };
    let implied: &[Column] = match step.status {
        message::Status::Sent => &[Column::SentAt],
        message::Status::Delivered => &[Column::SentAt, Column::DeliveredAt],
        message::Status::Read => &[Column::SentAt, Column::DeliveredAt, Column::ReadAt],
        _ => &[Column::SentAt, Column::DeliveredAt, Column::ReadAt, Column::PlayedAt],
    };
    let mut update = tx.update::<message::Entity>().set(Column::Status, step.status);
    for column in implied {
        update = update.set_to(*column, unless_known(*column));
    }
    update.filter(Column::Status.is_in(before(step.status)))
}

/// Ends what the server refused.
async fn refuse(parts: &Parts, tx: &TenantTx, items: &[Item]) -> Result<Vec<message::Model>, DbErr> {
    let mut refused = Vec::new();
    for item in items {
        let Heard::Nacked {
            whatsapp_id,
            code,
            reason,
        } = &item.heard
        else {
            continue;
        };
        let failure = refusal(*code, reason);
        let now = parts.clock.now();
        refused.extend(attempts::fail_by_whatsapp_id(tx, item.lease.id(), whatsapp_id, &failure, now).await?);
    }
    Ok(refused)
}

/// What the server's code means. 463 is what WhatsApp answers to an account that may not write to new people for a while,
/// as its web client names it ("reach-out timelock").
fn refusal(code: i32, reason: &str) -> Failure {
    let (name, message) = match code {
        463 => (
            "REACHOUT_TIMELOCK",
            "WhatsApp does not let this account write to new people for now.".to_owned(),
        ),
        _ if reason.is_empty() => ("REJECTED", format!("WhatsApp refused the message with code {code}.")),
        _ => (
            "REJECTED",
            format!("WhatsApp refused the message with code {code}: {reason}"),
        ),
    };
    Failure {
        code: name,
        message,
        number: Some(code),
    }
}
