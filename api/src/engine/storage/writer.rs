//! The one writer of engine records in this process: what many devices write at the same moment shares a transaction.
//!
//! A write that somebody awaits is committed at once; writes behind wait for company up to the commit window. While a
//! transaction is being committed the next one fills.
//!
//! **Invariant:** writes take effect in the order in which they were handed in. A write under a lost lease changes
//! nothing, and does not disturb the others of its transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use entity::{DeviceId, engine_record::Column};
use sea_orm::{ColumnTrait, Condition, DbErr};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::space::Space;
use crate::store::{DeviceScope, Record, RecordTx};

const QUEUE: usize = 8192;
const LARGEST: usize = 4096;
/// A database that is restarted comes back within this many attempts; a longer outage fails the writes that somebody
/// awaits, and holds back those behind.
const RETRIES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
];

/// How long the writer waits for news before it tries failed writes behind again.
const PATIENCE: Duration = Duration::from_millis(500);
/// An outage longer than this loses them.
const LONGEST: Duration = Duration::from_mins(10);

/// Why a write did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum WriteError {
    #[error("another node holds the device now")]
    LeaseLost,
    #[error("the writer has stopped")]
    Stopped,
    #[error("the database refused")]
    Database(#[source] Arc<DbErr>),
}

/// One change to a device's records.
pub(super) enum Change {
    Put {
        space: Space,
        key: Vec<u8>,
        value: Vec<u8>,
        number: Option<i64>,
        expires_at: Option<i64>,
    },
    Delete {
        space: Space,
        key: Vec<u8>,
    },
    /// Deletes the keys that begin with this.
    DeletePrefix {
        space: Space,
        prefix: Vec<u8>,
    },
    /// Deletes the records whose number is lower.
    DeleteBelow {
        space: Space,
        number: i64,
    },
    /// Deletes everything of the device.
    DeleteAll,
}

impl Change {
    /// Which store it changes; all of them without one.
    pub(super) const fn space(&self) -> Option<Space> {
        match self {
            Self::Put { space, .. }
            | Self::Delete { space, .. }
            | Self::DeletePrefix { space, .. }
            | Self::DeleteBelow { space, .. } => Some(*space),
            Self::DeleteAll => None,
        }
    }
}

/// Changes of one device that belong together, and what follows their commit.
struct Write {
    scope: DeviceScope,
    changes: Vec<Change>,
    /// The number of rows that deletions of ranges removed.
    reply: Option<oneshot::Sender<Result<u64, WriteError>>>,
    after: Option<Box<dyn FnOnce() + Send + Sync>>,
    since: Instant,
}

/// Hands changes to the writer. Cheap to clone.
#[derive(Clone)]
pub(in crate::engine) struct Writer {
    queue: mpsc::Sender<Write>,
}

impl Writer {
    /// Starts the writer's task. It ends when the last handle is dropped, after its last write.
    pub(in crate::engine) fn start(window: Duration) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(receiver, window));
        Self { queue }
    }

    /// Commits the changes; answers how many rows the deletions of ranges removed.
    pub(super) async fn write(&self, scope: &DeviceScope, changes: Vec<Change>) -> Result<u64, WriteError> {
        self.enqueue(scope, changes)
            .await?
            .await
            .map_err(|_| WriteError::Stopped)?
    }

    /// As [`Writer::write`], in two steps: when this returns, the place in the order of writes is taken.
    pub(super) async fn enqueue(
        &self,
        scope: &DeviceScope,
        changes: Vec<Change>,
    ) -> Result<oneshot::Receiver<Result<u64, WriteError>>, WriteError> {
        let (reply, done) = oneshot::channel();
        let write = Write {
            scope: scope.clone(),
            changes,
            reply: Some(reply),
            after: None,
            since: Instant::now(),
        };
        self.queue.send(write).await.map_err(|_| WriteError::Stopped)?;
        Ok(done)
    }

    /// Hands in the changes without waiting for their commit; `after` runs when they are committed or given up.
    pub(super) async fn write_behind(
        &self,
        scope: &DeviceScope,
        changes: Vec<Change>,
        after: Box<dyn FnOnce() + Send + Sync>,
    ) -> Result<(), WriteError> {
        let write = Write {
            scope: scope.clone(),
            changes,
            reply: None,
            after: Some(after),
            since: Instant::now(),
        };
        self.queue.send(write).await.map_err(|_| WriteError::Stopped)
    }
}

async fn run(mut receiver: mpsc::Receiver<Write>, window: Duration) {
    let mut batch = Vec::new();
    loop {
        if batch.is_empty() {
            if receiver.recv_many(&mut batch, LARGEST).await == 0 {
                return;
            }
            gather(&mut receiver, &mut batch, window).await;
        } else if batch.len() < LARGEST {
            // Writes behind that failed: whatever came meanwhile follows them.
            let more = receiver.recv_many(&mut batch, LARGEST);
            let _ = tokio::time::timeout(PATIENCE, more).await;
        }
        batch = commit(batch).await;
    }
}

/// Waits for company until somebody awaits a write, or the window ends.
async fn gather(receiver: &mut mpsc::Receiver<Write>, batch: &mut Vec<Write>, window: Duration) {
    let deadline = Instant::now() + window;
    let mut seen = 0;
    while batch.len() < LARGEST && batch[seen..].iter().all(|write| write.reply.is_none()) {
        seen = batch.len();
        let more = receiver.recv_many(batch, LARGEST - seen);
        match tokio::time::timeout_at(deadline, more).await {
            Ok(count) if count > 0 => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Commits the batch. Answers the writes behind that could not be committed and are to be tried again.
async fn commit(batch: Vec<Write>) -> Vec<Write> {
    let mut outcome = attempt(&batch).await;
    for pause in RETRIES {
        let Err(error) = &outcome else { break };
        tracing::warn!(%error, "engine records could not be written, trying again");
        tokio::time::sleep(pause).await;
        outcome = attempt(&batch).await;
    }
    let error = match outcome {
        Ok(done) => {
            for (position, write) in batch.into_iter().enumerate() {
                let held = done.held.contains(&lease(&write.scope));
                let removed = done.removed.get(&position).copied().unwrap_or(0);
                write.settle(if held { Ok(removed) } else { Err(WriteError::LeaseLost) });
            }
            return Vec::new();
        }
        Err(error) => WriteError::Database(Arc::new(error)),
    };
    tracing::error!(%error, writes = batch.len(), "engine records were not written");
    let (waited_for, mut behind): (Vec<_>, Vec<_>) = batch.into_iter().partition(|write| write.reply.is_some());
    for write in waited_for {
        write.settle(Err(error.clone()));
    }
    for write in behind.extract_if(.., |write| write.since.elapsed() > LONGEST) {
        write.settle(Err(error.clone()));
    }
    behind
}

impl Write {
    fn settle(self, result: Result<u64, WriteError>) {
        if let Some(after) = self.after {
            after();
        }
        if let Some(reply) = self.reply {
            // Whoever asked may have been cancelled; the write stands.
            let _ = reply.send(result);
        }
    }
}

/// What a committed transaction did.
struct Done {
    held: HashSet<(DeviceId, i64)>,
    removed: HashMap<usize, u64>,
}

fn lease(scope: &DeviceScope) -> (DeviceId, i64) {
    (scope.device_id(), scope.fence())
}

async fn attempt(batch: &[Write]) -> Result<Done, DbErr> {
    let Some(first) = batch.first() else {
        return Ok(Done {
            held: HashSet::new(),
            removed: HashMap::new(),
        });
    };
    let transaction = first.scope.begin().await?;
    let held = transaction.held(batch.iter().map(|write| &write.scope)).await?;
    let mut pending = Pending::default();
    let mut removed = HashMap::new();
    for (position, write) in batch.iter().enumerate() {
        if !held.contains(&lease(&write.scope)) {
            continue;
        }
        for change in &write.changes {
            let rows = pending.apply(&transaction, &write.scope, change).await?;
            if rows > 0 {
                *removed.entry(position).or_insert(0) += rows;
            }
        }
    }
    pending.flush(&transaction).await?;
    transaction.commit().await?;
    Ok(Done { held, removed })
}

type Place<'a> = (DeviceId, Space, &'a [u8]);
type Value<'a> = (&'a [u8], Option<i64>, Option<i64>);

/// Single puts and deletions that have not been turned into statements yet: the last one of a place wins.
#[derive(Default)]
struct Pending<'a> {
    scopes: HashMap<DeviceId, &'a DeviceScope>,
    places: HashMap<Place<'a>, Option<Value<'a>>>,
}

impl<'a> Pending<'a> {
    async fn apply(&mut self, tx: &RecordTx, scope: &'a DeviceScope, change: &'a Change) -> Result<u64, DbErr> {
        let device = scope.device_id();
        self.scopes.insert(device, scope);
        let condition = match change {
            Change::Put {
                space,
                key,
                value,
                number,
                expires_at,
            } => {
                self.places
                    .insert((device, *space, key), Some((value, *number, *expires_at)));
                return Ok(0);
            }
            Change::Delete { space, key } => {
                let before = self.places.insert((device, *space, key), None);
                if space.is_written_once() && before.flatten().is_some() {
                    self.places.remove(&(device, *space, key.as_slice()));
                }
                return Ok(0);
            }
            Change::DeletePrefix { space, prefix } => prefix_condition(*space, prefix),
            Change::DeleteBelow { space, number } => Condition::all()
                .add(Column::Space.eq(space.number()))
                .add(Column::Number.lt(*number)),
            Change::DeleteAll => Condition::all(),
        };
        // A range may cover single changes that came before it.
        self.flush(tx).await?;
        tx.delete(scope, condition).await
    }

    async fn flush(&mut self, tx: &RecordTx) -> Result<(), DbErr> {
        let mut puts = Vec::with_capacity(self.places.len());
        let mut deletions = Vec::new();
        for ((device, space, key), value) in self.places.drain() {
            match value {
                Some((value, number, expires_at)) => {
                    let record = Record {
                        space: space.number(),
                        key: key.to_vec(),
                        value: value.to_vec(),
                        number,
                        expires_at,
                    };
                    puts.push((self.scopes[&device], record));
                }
                None => deletions.push((self.scopes[&device], space.number(), key)),
            }
        }
        tx.delete_at(&deletions).await?;
        tx.put(puts).await
    }
}

/// The records of a space whose key begins with `prefix`.
pub(super) fn prefix_condition(space: Space, prefix: &[u8]) -> Condition {
    let mut condition = Condition::all()
        .add(Column::Space.eq(space.number()))
        .add(Column::Key.gte(prefix.to_vec()));
    // The first key after all that begin with the prefix; without one, the prefix is all 0xFF and nothing follows it.
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if let Some(next) = last.checked_add(1) {
            after.push(next);
            condition = condition.add(Column::Key.lt(after));
            break;
        }
    }
    condition
}
