//! Opens the database and brings its tables up to date.

use std::{path::Path, sync::Arc, time::Duration};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, DbBackend, DbErr, Statement};

use super::{
    Pools, Store,
    pools::Places,
    shown::{Memory, Shown, Trouble},
};

/// Where statements are logged, without their values, at `sqlx::query=trace`; one that takes longer than a second is a
/// warning.
const STATEMENTS: log::LevelFilter = log::LevelFilter::Trace;

/// How many statements a connection keeps prepared. The shapes of all statements are a few hundred (see
/// [`shapes`](super::shapes)); the driver's own limit is 100, and a statement that fell out is read and planned again.
const PREPARED: usize = 1000;

/// Where the database is and how many connections it may use.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `postgres://…` or `sqlite://path`.
    pub url: String,
    /// At most this many connections (Postgres), or reading connections (SQLite).
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
}

impl DatabaseOptions {
    /// The defaults for a database at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is neither Postgres nor SQLite.
    #[error("the database URL must begin with postgres:// or sqlite://")]
    UnknownDatabase,
    /// The folder of an SQLite file could not be made.
    #[error("cannot create the folder of the database file: {0}")]
    Folder(#[from] std::io::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Store {
    /// Opens the database. Makes an SQLite file that does not exist yet.
    pub async fn open(options: &DatabaseOptions) -> Result<Self, OpenError> {
        let pools = if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            open_postgres(options).await?
        } else if let Some(path) = options.url.strip_prefix("sqlite://") {
            open_sqlite(options, path).await?
        } else {
            return Err(OpenError::UnknownDatabase);
        };
        Ok(Self { pools })
    }

    /// Runs the migrations that this database has not seen.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        let lent = self.pools.writing(Shown::Everything).await?;
        Migrator::up(&*lent, None).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that connects")]
async fn open_postgres(options: &DatabaseOptions) -> Result<Pools, OpenError> {
    let (mut places, trouble) = (Vec::new(), Trouble::default());
    for place in 0..options.max_connections {
        let memory = Memory::new(trouble.clone());
        let mut connect = postgres_options(options);
        // The first shows at once whether the database answers; the others are opened when they are needed.
        connect.connect_lazy(place > 0);
        memory.guard(&mut connect);
        places.push((sea_orm::Database::connect(connect).await?, memory));
    }
    let pools = Pools::Postgres(Arc::new(Places::new(places, trouble, options.acquire_timeout)));
    warn_of_superusers(&pools).await?;
    Ok(pools)
}

/// Row-level security is no lock for everybody.
async fn warn_of_superusers(pools: &Pools) -> Result<(), DbErr> {
    let role = Statement::from_string(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)",
    );
    let lent = pools.reading(Shown::Everything).await?;
    if lent.query_one_raw(role).await?.is_some() {
        tracing::warn!("the database role is a superuser or has BYPASSRLS: row-level security does not hold for it");
    }
    Ok(())
}

/// A pool of one connection.
fn postgres_options(options: &DatabaseOptions) -> ConnectOptions {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(options.acquire_timeout)
        .connect_timeout(options.acquire_timeout)
        .sqlx_logging_level(STATEMENTS)
        .map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(PREPARED))
        .set_application_name("kabar");
    connect
}

#[expect(clippy::disallowed_methods, reason = "the one place that connects")]
async fn open_sqlite(options: &DatabaseOptions, path: &str) -> Result<Pools, OpenError> {
    let file = path.split('?').next().unwrap_or(path);
    if let Some(folder) = Path::new(file).parent() {
        std::fs::create_dir_all(folder)?;
    }
    let url = format!("sqlite://{file}?mode=rwc");
    let write = sea_orm::Database::connect(sqlite_options(&url, 1, Duration::from_mins(1), "-16000")).await?;
    let readers = sqlite_options(&url, options.max_connections, options.acquire_timeout, "-2000");
    let read = sea_orm::Database::connect(readers).await?;
    Ok(Pools::Sqlite { read, write })
}

fn sqlite_options(url: &str, connections: u32, acquire_timeout: Duration, cache: &'static str) -> ConnectOptions {
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(acquire_timeout)
        // An SQLite connection is a file handle and a thread: it never grows stale.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .test_before_acquire(false)
        .sqlx_logging_level(STATEMENTS)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .statement_cache_capacity(PREPARED)
                .pragma("journal_mode", "WAL")
                // A commit is on the disk before it is answered, through a power cut too. Writers batch, so it is paid
                // once for many messages.
                .pragma("synchronous", "FULL")
                // In pages. A page that changes often is copied into the file once per checkpoint: fewer checkpoints, fewer
                // copies. The log may grow to some 16 MB.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("foreign_keys", "ON")
                .pragma("busy_timeout", "10000")
                .pragma("temp_store", "MEMORY")
                // In KiB, of each connection. Every commit of the writer empties the readers' caches, so more is waste.
                .pragma("cache_size", cache)
        });
    connect
}
