//! The connections: which one is lent for a statement or a transaction.
//!
//! On Postgres each connection is a pool of its own, so that what it was told ([`shown`](super::shown)) is known. Whoever
//! asks is lent one that shows what it may see already, if one is free: then nothing has to be said, and no statement makes
//! a further round trip.
//!
//! **Invariant:** whoever holds a [`Lent`] connection of Postgres is the only one who uses its pool.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shown::{Memory, Shown, Trouble};

/// As long as fewer connections are open, one more is opened rather than waiting for one, or telling one something else.
const SPECIALISTS: usize = 6;

/// Every connection of this process. Cheap to clone.
#[derive(Clone)]
#[expect(clippy::disallowed_types, reason = "the store is what hides the connection")]
pub(super) enum Pools {
    /// One connection writes, several read.
    Sqlite {
        read: sea_orm::DatabaseConnection,
        write: sea_orm::DatabaseConnection,
    },
    /// Each reads and writes.
    Postgres(Arc<Places>),
}

/// Connections to Postgres.
#[expect(clippy::disallowed_types, reason = "the store is what hides the connection")]
pub(super) struct Places {
    all: Vec<(sea_orm::DatabaseConnection, Memory)>,
    /// Those that nobody has, the one that was given back last at the end.
    free: Mutex<Vec<usize>>,
    permits: Arc<Semaphore>,
    trouble: Trouble,
    patience: Duration,
}

/// A connection until it is dropped.
#[expect(clippy::disallowed_types, reason = "stays within the store")]
pub(super) struct Lent {
    connection: sea_orm::DatabaseConnection,
    _place: Option<Occupied>,
}

struct Occupied {
    places: Arc<Places>,
    index: usize,
    _permit: OwnedSemaphorePermit,
}

/// A transaction with the connection that it runs on.
pub(super) struct Begun {
    // Dropped first: an open transaction is rolled back before anybody else has the connection.
    transaction: DatabaseTransaction,
    _lent: Lent,
}

/// What statements run on that only read: each is lent a connection that shows these rows. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pools: Pools,
    shown: Shown,
}

impl Pools {
    pub(super) async fn reading(&self, shown: Shown) -> Result<Lent, DbErr> {
        match self {
            Self::Sqlite { read, .. } => Ok(Lent::whole(read)),
            Self::Postgres(places) => places.lend(shown).await,
        }
    }

    pub(super) async fn writing(&self, shown: Shown) -> Result<Lent, DbErr> {
        match self {
            Self::Sqlite { write, .. } => Ok(Lent::whole(write)),
            Self::Postgres(places) => places.lend(shown).await,
        }
    }

    /// How many transactions can usefully write at the same time. A tenant's commits follow each other, so that further
    /// ones would mostly wait for its log.
    pub(super) const fn writers(&self) -> usize {
        match self {
            Self::Sqlite { .. } => 1,
            Self::Postgres(_) => 2,
        }
    }

    /// Passes an answer on. One that never came is a broken connection.
    fn heard<T>(&self, answer: Result<T, DbErr>) -> Result<T, DbErr> {
        if let (Self::Postgres(places), Err(error)) = (self, &answer)
            && is_broken(error)
        {
            places.trouble.report();
        }
        answer
    }

    /// Closes every connection, after the last write is done.
    pub(super) async fn close(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite { read, write } => {
                write.close().await?;
                read.close().await
            }
            Self::Postgres(places) => {
                for (connection, _) in &places.all {
                    connection.clone().close().await?;
                }
                Ok(())
            }
        }
    }
}

impl Places {
    #[expect(clippy::disallowed_types, reason = "the store is what hides the connection")]
    pub(super) fn new(all: Vec<(sea_orm::DatabaseConnection, Memory)>, trouble: Trouble, patience: Duration) -> Self {
        Self {
            free: Mutex::new((0..all.len()).collect()),
            permits: Arc::new(Semaphore::new(all.len())),
            all,
            trouble,
            patience,
        }
    }

    async fn lend(self: &Arc<Self>, shown: Shown) -> Result<Lent, DbErr> {
        let permit = tokio::time::timeout(self.patience, Arc::clone(&self.permits).acquire_owned());
        let permit = permit
            .await
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
        let index = self
            .choose(shown)
            .ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let place = Occupied {
            places: Arc::clone(self),
            index,
            _permit: permit,
        };
        let (connection, memory) = &self.all[index];
        memory.want(shown);
        Ok(Lent {
            connection: connection.clone(),
            _place: Some(place),
        })
    }

    /// Takes the free connection that is ready soonest. One that was just given back is first asked by its pool whether it
    /// is well, which takes about as long as telling another one whose rows to show. Of equals it is the one that was used
    /// last: it has prepared what is asked for, and the others would have to.
    fn choose(&self, rows: Shown) -> Option<usize> {
        let pool = |index: usize| self.all[index].0.get_postgres_connection_pool();
        let is_open = |index: usize| pool(index).size() > 0;
        let shows = |index: usize| is_open(index) && self.all[index].1.shows(rows);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = |wanted: &dyn Fn(usize) -> bool| free.iter().rposition(|index| wanted(*index));
        let closed = || latest(&|index| !is_open(index));
        let few = || self.all.len() - free.iter().filter(|index| !is_open(**index)).count() < SPECIALISTS;
        let place = latest(&|index| shows(index) && pool(index).num_idle() > 0)
            .or_else(|| closed().filter(|_| few()))
            .or_else(|| latest(&shows))
            .or_else(|| latest(&is_open))
            .or_else(closed)?;
        Some(free.remove(place))
    }
}

fn is_broken(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    matches!(**error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
}

impl Drop for Occupied {
    fn drop(&mut self) {
        let mut free = self.places.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self.index);
    }
}

impl Lent {
    #[expect(clippy::disallowed_types, reason = "stays within the store")]
    fn whole(connection: &sea_orm::DatabaseConnection) -> Self {
        Self {
            connection: connection.clone(),
            _place: None,
        }
    }

    /// Begins a transaction. SQLite takes its write lock at once, so that it never has to upgrade one.
    async fn begin(self) -> Result<Begun, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Begun {
            transaction: self.connection.begin_with_options(options).await?,
            _lent: self,
        })
    }
}

#[expect(clippy::disallowed_types, reason = "stays within the store")]
impl Deref for Lent {
    type Target = sea_orm::DatabaseConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl Begun {
    /// Keeps everything that was done.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}

impl Deref for Begun {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

impl Reader {
    pub(super) fn new(pools: Pools, shown: Shown) -> Self {
        Self { pools, shown }
    }

    /// Begins a transaction that writes, over the same rows.
    pub(super) async fn begin(&self) -> Result<Begun, DbErr> {
        self.pools.writing(self.shown).await?.begin().await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match &self.pools {
            Pools::Sqlite { .. } => DbBackend::Sqlite,
            Pools::Postgres(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let lent = self.pools.reading(self.shown).await?;
        self.pools.heard(lent.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let lent = self.pools.reading(self.shown).await?;
        self.pools.heard(lent.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let lent = self.pools.reading(self.shown).await?;
        self.pools.heard(lent.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let lent = self.pools.reading(self.shown).await?;
        self.pools.heard(lent.query_all_raw(statement).await)
    }
}
