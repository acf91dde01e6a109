//! A fresh, migrated database for each test.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use sea_orm_migration::MigratorTrait;
use tokio::runtime::Runtime;

use crate::place::{Place, tail, test_name};
use crate::postgres::{PostgresServer, connect};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A database of one test; it is gone when this value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    place: DatabasePlace,
}

#[derive(Debug)]
enum DatabasePlace {
    Sqlite(tempfile::TempDir),
    Postgres {
        name: String,
        cluster: &'static Cluster,
    },
    /// A server of its own, which the test may stop.
    OwnPostgres {
        server: Arc<PostgresServer>,
    },
}

impl TestDatabase {
    pub async fn new(kind: Kind) -> Result<Self> {
        match kind {
            Kind::Sqlite => Self::sqlite(),
            Kind::Postgres => Self::postgres().await,
        }
    }

    pub fn sqlite() -> Result<Self> {
        Ok(Self {
            place: DatabasePlace::Sqlite(tempfile::Builder::new().prefix("kabar-sqlite-").tempdir()?),
        })
    }

    /// A copy of the migrated template.
    pub async fn postgres() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let cluster = tokio::task::spawn_blocking(Cluster::get).await??;
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        cluster.server.create_database(&name, Some(&cluster.template)).await?;
        Ok(Self {
            place: DatabasePlace::Postgres { name, cluster },
        })
    }

    /// A server that only this test uses, so that it may stop it.
    pub async fn own_postgres() -> Result<(Self, Arc<PostgresServer>)> {
        let server = Arc::new(tokio::task::spawn_blocking(PostgresServer::own).await??);
        server.create_database("kabar", None).await?;
        Ok((
            Self {
                place: DatabasePlace::OwnPostgres {
                    server: Arc::clone(&server),
                },
            },
            server,
        ))
    }

    /// A server with its default durability, for measurements.
    pub async fn durable_postgres() -> Result<Self> {
        let server = Arc::new(tokio::task::spawn_blocking(PostgresServer::durable).await??);
        server.create_database("kabar", None).await?;
        Ok(Self {
            place: DatabasePlace::OwnPostgres { server },
        })
    }

    pub fn kind(&self) -> Kind {
        match self.place {
            DatabasePlace::Sqlite(_) => Kind::Sqlite,
            DatabasePlace::Postgres { .. } | DatabasePlace::OwnPostgres { .. } => Kind::Postgres,
        }
    }

    /// What `KABAR_DATABASE_URL` is set to.
    pub fn url(&self) -> String {
        match &self.place {
            DatabasePlace::Sqlite(folder) => format!("sqlite://{}", folder.path().join("kabar.db").display()),
            DatabasePlace::Postgres { name, cluster } => cluster.server.url(name),
            DatabasePlace::OwnPostgres { server } => server.url("kabar"),
        }
    }

    /// A connection past the server, to look at what the API does not show or to write what it would not.
    #[expect(clippy::disallowed_types, reason = "a test looks from outside, at everything")]
    pub async fn connect(&self) -> Result<sea_orm::DatabaseConnection> {
        connect(&self.url()).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let DatabasePlace::Postgres { name, cluster } = &self.place else {
            return;
        };
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // Dropping waits for the server, which a runtime's own threads must not do. What is left over goes with the
        // whole cluster.
        let dropped = std::thread::scope(|scope| {
            scope
                .spawn(|| Runtime::new()?.block_on(cluster.server.administer(&statement)))
                .join()
        });
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the database {name} was not dropped");
        }
    }
}

/// The shared server with this binary's template.
#[derive(Debug)]
struct Cluster {
    server: PostgresServer,
    template: String,
}

impl Cluster {
    fn get() -> Result<&'static Self> {
        static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
        CLUSTER
            .get_or_init(|| Self::start().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!("there is no Postgres to test with: {error}"))
    }

    fn start() -> Result<Self> {
        let server = PostgresServer::shared()?;
        let template = format!("template_{}", std::process::id());
        Runtime::new()?.block_on(async {
            server.create_database(&template, None).await?;
            let connection = connect(&server.url(&template)).await?;
            migration::Migrator::up(&connection, None)
                .await
                .context("migrating the template")?;
            connection.close().await?;
            anyhow::Ok(())
        })?;
        Ok(Self { server, template })
    }
}

/// Runs a test's body on a fresh database; when it fails, shows the end of the server's log.
pub fn run_on<F>(kind: Kind, body: impl FnOnce(TestDatabase) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async { body(TestDatabase::new(kind).await?).await });
    if outcome.is_err() {
        let log = Place::find()?.log_of(&test_name())?;
        if log.is_file() {
            println!("the server's log, {}, ends with:\n{}", log.display(), tail(&log, 40));
        }
    }
    outcome
}
