//! Taking messages out of the queue: devices that have room for more at the same moment share a transaction.
//!
//! **Invariant:** QUEUED → SENDING is committed before anybody hears of the message.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, message};
use sea_orm::{ColumnTrait, DbErr, ExprTrait, prelude::Json, sea_query::Expr};

use super::{attempts, content, queue};
use crate::{
    clock::Clock,
    devices::LeasedDevice,
    engine::OutgoingContent,
    store::{Batcher, Store, TenantTx, by_tenant, chunks},
};

/// How close claims follow each other while there is much to send: devices that have room meanwhile share one.
const LINGER: Duration = Duration::from_millis(2);
/// The same for the first looks of devices that connect, of which few find something when hundreds connect again.
const FRESH_LINGER: Duration = Duration::from_millis(20);
/// How often a claim is tried again when messages were changed meanwhile.
const MOST_TRIES: usize = 4;

/// What one device may take next.
#[derive(Clone, Debug)]
pub struct Room {
    pub lease: LeasedDevice,
    /// At most so many messages; zero only settles what is left of an earlier connection.
    pub most: u64,
    /// The first look on a new connection: what was on its way before is queued again, with the same id.
    pub fresh: bool,
}

/// What a device may send now.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The most urgent first.
    pub messages: Vec<Claimed>,
    /// When the next postponed message is due; told only when there is nothing to send.
    pub next_due: Option<DateTime<Utc>>,
}

/// Takes messages out of the queue for devices that have room. Devices that ask at the same moment share a transaction.
/// Cheap to clone.
#[derive(Clone)]
pub struct Claims {
    fresh: Batcher<Room, Result<Taken, Arc<DbErr>>>,
    further: Batcher<Room, Result<Taken, Arc<DbErr>>>,
}

impl Claims {
    /// Starts the tasks that write.
    pub fn start(store: &Store, clock: &Clock) -> Self {
        let batcher = |linger: Duration| {
            let (store, clock) = (store.clone(), clock.clone());
            Batcher::start(256, linger, move |rooms: Vec<Room>| {
                let (store, clock) = (store.clone(), clock.clone());
                async move { claim_all(&store, clock.now(), rooms).await }
            })
        };
        Self {
            fresh: batcher(FRESH_LINGER),
            further: batcher(LINGER),
        }
    }

    /// Takes what is due for a device: QUEUED → SENDING, committed before this returns.
    pub async fn claim(&self, room: Room) -> Result<Taken, Arc<DbErr>> {
        // A server that is shutting down claims nothing more.
        let batcher = if room.fresh { &self.fresh } else { &self.further };
        batcher.submit(room).await.unwrap_or_else(|_| Ok(Taken::default()))
    }
}

async fn claim_all(store: &Store, now: DateTime<Utc>, rooms: Vec<Room>) -> Vec<Result<Taken, Arc<DbErr>>> {
    let mut results: Vec<_> = rooms.iter().map(|_| Ok(Taken::default())).collect();
    let places = rooms.into_iter().enumerate().collect();
    for (_, rooms) in by_tenant(places, |(_, room): &(usize, Room)| room.lease.tenant()) {
        let (places, rooms): (Vec<usize>, Vec<Room>) = rooms.into_iter().unzip();
        match claim_batch(store, now, &rooms).await {
            Ok(taken) => {
                for (place, taken) in places.into_iter().zip(taken) {
                    results[place] = Ok(taken);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for place in places {
                    results[place] = Err(Arc::clone(&error));
                }
            }
        }
    }
    results
}

/// Claims for several devices of one tenant. Answers what each may send, in their order.
async fn claim_batch(store: &Store, now: DateTime<Utc>, rooms: &[Room]) -> Result<Vec<Taken>, DbErr> {
    for tries in 1..=MOST_TRIES {
        match (try_claim(store, now, rooms).await?, rooms.first()) {
            (Claim::Taken(taken), _) => return Ok(taken),
            // Nobody is so fast twice in a row.
            (Claim::Lost(due), Some(first)) if tries > 1 => {
                let tx = store.scope(&first.lease).begin().await?;
                queue::reconcile(&tx, &due).await?;
                tx.commit().await?;
            }
            (Claim::Lost(_), _) => {}
        }
    }
    Err(DbErr::RecordNotUpdated)
}

/// What a claim came to.
enum Claim {
    /// What each device may send.
    Taken(Vec<Taken>),
    /// Nothing: of these messages, somebody changed some meanwhile.
    Lost(Vec<MessageId>),
}

/// Claims in one transaction.
async fn try_claim(store: &Store, now: DateTime<Utc>, rooms: &[Room]) -> Result<Claim, DbErr> {
    // A device has one loop, so it is here once.
    let Some(first) = rooms.first() else {
        return Ok(Claim::Taken(Vec::new()));
    };
    let scope = store.scope(&first.lease);
    let tx = scope.begin().await?;
    let fresh: Vec<DeviceId> = rooms.iter().filter(|room| room.fresh).map(device_of).collect();
    if !fresh.is_empty() {
        attempts::requeue_all(&tx, fresh).await?;
    }
    let mut claimed: HashMap<DeviceId, Vec<Claimed>> = HashMap::new();
    let open: Vec<&Room> = rooms.iter().filter(|room| room.most > 0).collect();
    for rooms in chunks(open) {
        let devices = rooms.iter().map(|room| (room.lease.id(), room.most));
        let due = queue::due(&tx, now, devices).await?;
        if due.is_empty() {
            continue;
        }
        if !take(&tx, now, &due).await? {
            return Ok(Claim::Lost(due));
        }
        for (device_id, message) in read(&tx, &due).await? {
            claimed.entry(device_id).or_default().push(message);
        }
    }
    tx.commit().await?;
    let idle: Vec<DeviceId> = rooms
        .iter()
        .map(device_of)
        .filter(|id| !claimed.contains_key(id))
        .collect();
    // What was claimed is to be sent, whatever becomes of this question.
    let next_due = queue::next_due(&scope, idle).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "it is not known when postponed messages are due");
        HashMap::new()
    });
    let mut of = |room: &Room| {
        let mut messages = claimed.remove(&room.lease.id()).unwrap_or_default();
        messages.sort_by_key(|message| (message.priority, message.id));
        Taken {
            messages,
            next_due: next_due.get(&room.lease.id()).copied(),
        }
    };
    Ok(Claim::Taken(rooms.iter().map(&mut of).collect()))
}

fn device_of(room: &Room) -> DeviceId {
    room.lease.id()
}

/// What is to be sent of these messages.
async fn read(tx: &TenantTx, ids: &[MessageId]) -> Result<Vec<(DeviceId, Claimed)>, DbErr> {
    use message::Column;
    let columns = [
        Column::DeviceId,
        Column::Priority,
        Column::Id,
        Column::ChatId,
        Column::WhatsappId,
        Column::RecipientJid,
        Column::Content,
        Column::Attempts,
    ];
    let rows: Vec<ClaimedColumns> = tx
        .find::<message::Entity>()
        .among(Column::Id, ids.iter().copied())
        .tuples(columns.map(Expr::col))
        .await?;
    Ok(rows.into_iter().map(claimed_from).collect())
}

/// QUEUED → SENDING. Whether all of them were still QUEUED: only Postgres lets somebody in between.
async fn take(tx: &TenantTx, now: DateTime<Utc>, ids: &[MessageId]) -> Result<bool, DbErr> {
    use message::Column;
    let taken = tx
        .update::<message::Entity>()
        .set(Column::Status, message::Status::Sending)
        .set_to(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .set(Column::SendingAt, now)
        .among(Column::Id, ids.iter().copied())
        .filter(Column::Status.eq(message::Status::Queued))
        .execute()
        .await?;
    if taken != ids.len() as u64 {
        return Ok(false);
    }
    queue::take(tx, ids).await?;
    Ok(true)
}

/// A message that is this node's to send.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub priority: message::Priority,
    pub id: MessageId,
    pub chat_id: ChatId,
    pub whatsapp_id: String,
    pub recipient_jid: String,
    pub content: OutgoingContent,
    /// This one included.
    pub attempts: i32,
}

type ClaimedColumns = (
    DeviceId,
    message::Priority,
    MessageId,
    ChatId,
    String,
    Option<String>,
    Json,
    i32,
);

fn claimed_from(columns: ClaimedColumns) -> (DeviceId, Claimed) {
    let (device_id, priority, id, chat_id, whatsapp_id, recipient_jid, stored, attempts) = columns;
    let claimed = Claimed {
        priority,
        id,
        chat_id,
        whatsapp_id,
        recipient_jid: recipient_jid.unwrap_or_default(),
        content: content::outgoing(stored),
        attempts,
    };
    (device_id, claimed)
}
