//! One device's sealed records: reads, durable writes, and writes behind that are seen by this device's reads at once.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use entity::{DeviceId, engine_record::Column};
use futures::future::try_join_all;
use sea_orm::{ColumnTrait, Condition};
use tokio::sync::RwLock;
use wacore::store::error::StoreError;

use super::{
    StoreResult,
    reader::{Reader, Stored, Which},
    space::Space,
    writer::{Change, WriteError, Writer, prefix_condition},
};
use crate::{
    clock::Clock,
    store::{DeviceScope, cipher::Cipher, filled},
};

/// So many keys are read in company with other devices'; more by themselves.
const FEW_KEYS: usize = 8;

type Place = (Space, Vec<u8>);

/// Written behind and not committed yet, with the turn in which it was written.
type Behind = HashMap<Place, (u64, Newer)>;

/// What a record became: its plain value, or nothing.
#[derive(Clone)]
enum Newer {
    Value(Vec<u8>),
    Deleted,
}

impl Newer {
    fn value(self) -> Option<Vec<u8>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Deleted => None,
        }
    }
}

/// Reads and writes one device's records. Cheap to clone.
#[derive(Clone)]
pub(in crate::engine) struct Records {
    scope: DeviceScope,
    cipher: Cipher,
    reader: Reader,
    writer: Writer,
    clock: Clock,
    behind: Arc<Mutex<Behind>>,
    turns: Arc<AtomicU64>,
    /// Set before the records are deleted for good: what the library still writes then is refused.
    closed: Arc<RwLock<bool>>,
}

/// A value to be put, before it is sealed.
pub(super) struct Plain {
    pub space: Space,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub number: Option<i64>,
    pub expires_at: Option<i64>,
}

impl Plain {
    pub fn new(space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            space,
            key: key.into(),
            value: value.into(),
            number: None,
            expires_at: None,
        }
    }

    pub fn numbered(self, number: i64) -> Self {
        Self {
            number: Some(number),
            ..self
        }
    }
}

impl Records {
    pub(in crate::engine) fn new(
        scope: DeviceScope,
        cipher: Cipher,
        reader: Reader,
        writer: Writer,
        clock: Clock,
    ) -> Self {
        Self {
            scope,
            cipher,
            reader,
            writer,
            clock,
            behind: Arc::default(),
            turns: Arc::default(),
            closed: Arc::default(),
        }
    }

    pub(super) fn device(&self) -> DeviceId {
        self.scope.device_id()
    }

    /// The number of the lease under which these are written.
    pub(super) fn fence(&self) -> i64 {
        self.scope.fence()
    }

    /// Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    pub(super) fn now_micros(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    pub(super) async fn get(&self, space: Space, key: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        if let Some(newer) = self.seen_behind(space, key) {
            return Ok(newer.value());
        }
        let found = self.read(space, Which::Key(key.to_vec())).await?.unwrap_or_default();
        let stored = found.into_iter().next();
        stored
            .map(|stored| self.open(space, &stored.key, &stored.value))
            .transpose()
    }

    /// The records of a space whose key is among `keys`; those that don't exist are left out.
    pub(super) async fn get_many(&self, space: Space, keys: &[Vec<u8>]) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
        let behind = self.taken_behind(space, |key| keys.iter().any(|wanted| wanted == key));
        if keys.len() <= FEW_KEYS {
            let reads = keys.iter().map(|key| self.read(space, Which::Key(key.clone())));
            let found = try_join_all(reads).await?.into_iter().flatten().flatten();
            let found = self.opened(space, found.map(|stored| (stored.key, stored.value)))?;
            return Ok(merge(found, behind));
        }
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(500) {
            let these = Condition::all()
                .add(Column::Space.eq(space.number()))
                .add(Column::Key.is_in(filled(keys.iter().cloned())));
            found.extend(self.select(space, these).await?);
        }
        Ok(merge(found, behind))
    }

    pub(super) async fn list(&self, space: Space, prefix: &[u8]) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
        let behind = self.taken_behind(space, |key| key.starts_with(prefix));
        let few = if prefix.is_empty() {
            self.read(space, Which::Few).await?
        } else {
            None
        };
        let found = match few {
            Some(few) => self.opened(space, few.into_iter().map(|stored| (stored.key, stored.value)))?,
            None => self.select(space, prefix_condition(space, prefix)).await?,
        };
        Ok(merge(found, behind))
    }

    /// Whether any record's key in these spaces begins with one of the prefixes.
    pub(super) async fn any_begins(&self, spaces: &[Space], prefixes: &[Vec<u8>]) -> StoreResult<bool> {
        let begins = |key: &[u8]| prefixes.iter().any(|prefix| key.starts_with(prefix));
        let mut behind = spaces.iter().flat_map(|space| self.taken_behind(*space, begins));
        if behind.any(|(_, newer)| newer.value().is_some()) {
            return Ok(true);
        }
        let mut any = Condition::any();
        for space in spaces {
            for prefix in prefixes {
                any = any.add(prefix_condition(*space, prefix));
            }
        }
        Ok(self
            .scope
            .find()
            .filter(any)
            .limit(1)
            .one()
            .await
            .map_err(database)?
            .is_some())
    }

    /// The key and number of the record with the highest number.
    pub(super) async fn highest(&self, space: Space) -> StoreResult<Option<(Vec<u8>, i64)>> {
        let found = self.read(space, Which::Highest).await?.unwrap_or_default();
        let stored = found.into_iter().next();
        Ok(stored.map(|stored| (stored.key, stored.number.unwrap_or(0))))
    }

    /// Durable when it returns.
    pub(super) async fn put(&self, records: impl IntoIterator<Item = Plain>) -> StoreResult<()> {
        let changes = records
            .into_iter()
            .map(|plain| self.seal(plain))
            .collect::<StoreResult<Vec<_>>>()?;
        self.write(changes).await.map(|_| ())
    }

    /// Durable when it returns.
    pub(super) async fn delete(&self, space: Space, keys: impl IntoIterator<Item = Vec<u8>>) -> StoreResult<()> {
        let changes = keys.into_iter().map(|key| Change::Delete { space, key }).collect();
        self.write(changes).await.map(|_| ())
    }

    pub(super) async fn delete_prefix(&self, space: Space, prefix: Vec<u8>) -> StoreResult<()> {
        self.write(vec![Change::DeletePrefix { space, prefix }])
            .await
            .map(|_| ())
    }

    /// Deletes what has a lower number; answers how many records that were.
    pub(super) async fn delete_below(&self, space: Space, number: i64) -> StoreResult<u64> {
        self.write(vec![Change::DeleteBelow { space, number }]).await
    }

    /// Deletes every record of the device. Nothing can be written through this value or its clones afterwards.
    pub(in crate::engine) async fn delete_all(&self) -> StoreResult<()> {
        *self.closed.write().await = true;
        self.writer
            .write(&self.scope, vec![Change::DeleteAll])
            .await
            .map(|_| ())
            .map_err(written)
    }

    /// Seen by this device's reads when it returns; committed within the commit window, and lost when the process dies
    /// before.
    pub(super) async fn put_behind(&self, records: impl IntoIterator<Item = Plain>) -> StoreResult<()> {
        let mut changes = Vec::new();
        let mut places = Vec::new();
        for plain in records {
            places.push(((plain.space, plain.key.clone()), Newer::Value(plain.value.clone())));
            changes.push(self.seal(plain)?);
        }
        self.write_behind(changes, places).await
    }

    /// As [`Records::put_behind`].
    pub(super) async fn delete_behind(&self, space: Space, keys: impl IntoIterator<Item = Vec<u8>>) -> StoreResult<()> {
        let (mut changes, mut places) = (Vec::new(), Vec::new());
        for key in keys {
            places.push(((space, key.clone()), Newer::Deleted));
            changes.push(Change::Delete { space, key });
        }
        self.write_behind(changes, places).await
    }

    /// Commits everything that was written behind before.
    pub(in crate::engine) async fn flush(&self) -> StoreResult<()> {
        self.write(Vec::new()).await.map(|_| ())
    }

    async fn select(&self, space: Space, condition: Condition) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
        tracing::trace!(?space, "read many");
        let rows = self.scope.find().filter(condition).all().await.map_err(database)?;
        self.opened(space, rows.into_iter().map(|row| (row.key, row.value)))
    }

    async fn read(&self, space: Space, which: Which) -> StoreResult<Option<Vec<Stored>>> {
        self.reader.read(&self.scope, space, which).await
    }

    fn opened(
        &self,
        space: Space,
        sealed: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
        sealed
            .map(|(key, value)| {
                let value = self.open(space, &key, &value)?;
                Ok((key, value))
            })
            .collect()
    }

    async fn write(&self, changes: Vec<Change>) -> StoreResult<u64> {
        tracing::trace!(changes = changes.len(), first = ?changes.first().and_then(Change::space), "write");
        let done = {
            let closed = self.closed.read().await;
            if *closed {
                return Err(written(WriteError::Stopped));
            }
            self.writer.enqueue(&self.scope, changes).await.map_err(written)?
        };
        done.await.map_err(|_| written(WriteError::Stopped))?.map_err(written)
    }

    async fn write_behind(&self, changes: Vec<Change>, places: Vec<(Place, Newer)>) -> StoreResult<()> {
        tracing::trace!(changes = changes.len(), first = ?changes.first().and_then(Change::space), "write behind");
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        {
            let mut behind = self.behind();
            for (place, value) in &places {
                behind.insert(place.clone(), (turn, value.clone()));
            }
        }
        let memory = Arc::clone(&self.behind);
        let forget = Box::new(move || {
            let mut behind = memory.lock().unwrap_or_else(PoisonError::into_inner);
            for (place, _) in places {
                if behind.get(&place).is_some_and(|(newest, _)| *newest == turn) {
                    behind.remove(&place);
                }
            }
            if behind.is_empty() {
                behind.shrink_to_fit();
            }
        });
        let closed = self.closed.read().await;
        if *closed {
            return Err(written(WriteError::Stopped));
        }
        self.writer
            .write_behind(&self.scope, changes, forget)
            .await
            .map_err(written)
    }

    fn seen_behind(&self, space: Space, key: &[u8]) -> Option<Newer> {
        let behind = self.behind();
        if behind.is_empty() {
            return None;
        }
        behind.get(&(space, key.to_vec())).map(|(_, value)| value.clone())
    }

    /// What was written behind for these keys, copied before the database is read: what is committed in between is found
    /// in both.
    fn taken_behind(&self, space: Space, wanted: impl Fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Newer)> {
        let behind = self.behind();
        let here = behind.iter().filter(|((other, key), _)| *other == space && wanted(key));
        here.map(|((_, key), (_, value))| (key.clone(), value.clone()))
            .collect()
    }

    fn behind(&self) -> std::sync::MutexGuard<'_, Behind> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seal(&self, plain: Plain) -> StoreResult<Change> {
        let Plain {
            space,
            key,
            value,
            number,
            expires_at,
        } = plain;
        let value = self.cipher.seal(&self.place(space, &key), &value).map_err(sealed)?;
        Ok(Change::Put {
            space,
            key,
            value,
            number,
            expires_at,
        })
    }

    fn open(&self, space: Space, key: &[u8], value: &[u8]) -> StoreResult<Vec<u8>> {
        self.cipher.open(&self.place(space, key), value).map_err(sealed)
    }

    fn place(&self, space: Space, key: &[u8]) -> Vec<u8> {
        place(self.scope.device_id(), space.number(), key)
    }
}

/// What a value is sealed for.
pub(super) fn place(device: DeviceId, space: i16, key: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(18 + key.len());
    place.extend_from_slice(device.0.as_bytes());
    place.extend_from_slice(&space.to_be_bytes());
    place.extend_from_slice(key);
    place
}

fn merge(mut found: Vec<(Vec<u8>, Vec<u8>)>, behind: Vec<(Vec<u8>, Newer)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    if behind.is_empty() {
        return found;
    }
    found.retain(|(key, _)| behind.iter().all(|(newer, _)| newer != key));
    found.extend(
        behind
            .into_iter()
            .filter_map(|(key, newer)| Some((key, newer.value()?))),
    );
    found
}

fn database(error: sea_orm::DbErr) -> StoreError {
    StoreError::Database(Box::new(error))
}

fn written(error: WriteError) -> StoreError {
    StoreError::Database(Box::new(error))
}

fn sealed(error: crate::store::cipher::CipherError) -> StoreError {
    StoreError::Serialization(Box::new(error))
}
