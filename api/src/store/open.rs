//! Opens the database and brings its tables up to date.

use std::{path::Path, time::Duration};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, DbErr};

use super::{Pools, Store};

/// A connection that was not used for this long may have been cut meanwhile.
const STALE: Duration = Duration::from_secs(1);

/// Where statements are logged, without their values, at `sqlx::query=trace`; one that takes longer than a second is a
/// warning.
const STATEMENTS: log::LevelFilter = log::LevelFilter::Trace;

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
        Migrator::up(&self.pools.write, None).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that connects")]
async fn open_postgres(options: &DatabaseOptions) -> Result<Pools, OpenError> {
    let mut connect = ConnectOptions::new(&options.url);
    connect
        .max_connections(options.max_connections)
        .min_connections(1)
        .acquire_timeout(options.acquire_timeout)
        .connect_timeout(options.acquire_timeout)
        // A busy connection is not asked first whether it lives: that is a round trip more for every statement.
        .test_before_acquire_if_idle_for(STALE)
        .sqlx_logging_level(STATEMENTS)
        .set_application_name("kabar");
    let pool = sea_orm::Database::connect(connect).await?;
    Ok(Pools {
        read: pool.clone(),
        write: pool,
    })
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
    Ok(Pools { read, write })
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
                .pragma("journal_mode", "WAL")
                // A commit is on the disk before it is answered, through a power cut too. Writers batch, so it is paid
                // once for many messages.
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("busy_timeout", "10000")
                .pragma("temp_store", "MEMORY")
                // In KiB, of each connection. Every commit of the writer empties the readers' caches, so more is waste.
                .pragma("cache_size", cache)
        });
    connect
}
