//! The second lock: Postgres itself shows a connection only the rows that it was told to show.
//!
//! The types of this folder filter every statement. Should one ever be written without its filter, row-level security
//! (migration `m2026_11_21_000061`) still shows it nothing of other tenants. ADR 6 has the reasons and the figures.
//!
//! **Invariant:** a connection that nobody said anything about shows nothing. Only [`super::SystemScope`], the engine's
//! records and migrations are shown everything.
//!
//! **Invariant:** [`Memory`] never says that a connection was told what it was not. It forgets before it tells, and
//! remembers once Postgres has answered; a new connection begins with nothing. What was told is a setting of the session,
//! said outside transactions, so that no rollback takes it back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use entity::TenantId;
use sea_orm::{
    ConnectOptions,
    sqlx::{self, Connection, PgConnection},
};

/// A connection that was not used for this long may have been cut meanwhile.
const STALE: Duration = Duration::from_secs(1);

/// Whose rows a connection shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// One tenant's.
    Tenant(TenantId),
    /// Everybody's.
    Everything,
}

/// When a connection was last found to be broken: then the others are asked too. All connections share one.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<Instant>>>);

/// What the one connection of a pool was told, and is to be told when it is taken next.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    state: Arc<Mutex<Told>>,
    trouble: Trouble,
}

#[derive(Clone, Copy, Debug, Default)]
struct Told {
    wanted: Option<Shown>,
    shown: Option<Shown>,
    connected: bool,
}

impl Trouble {
    /// A connection is broken.
    pub(super) fn report(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether something broke within this time.
    fn is_within(&self, time: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() <= time)
    }
}

impl Memory {
    /// Of a connection that is yet to be made.
    pub(super) fn new(trouble: Trouble) -> Self {
        Self {
            state: Arc::default(),
            trouble,
        }
    }

    /// Says whose rows the connection is to show from now on. Whoever calls this has the pool for itself.
    pub(super) fn want(&self, shown: Shown) {
        self.state().wanted = Some(shown);
    }

    /// Whether the connection shows these rows already.
    pub(super) fn shows(&self, shown: Shown) -> bool {
        self.state().shown == Some(shown)
    }

    /// Makes a pool of one connection say whose rows are shown, whenever it hands the connection out and was told something
    /// else before. A connection that cannot be told is closed, and a new one takes its place.
    pub(super) fn guard(&self, connect: &mut ConnectOptions) {
        let (used, new) = (self.clone(), self.clone());
        connect
            .test_before_acquire(false)
            .map_sqlx_postgres_before_acquire(move |connection, metadata| {
                let memory = used.clone();
                Box::pin(async move {
                    let is_doubtful = metadata.idle_for >= STALE || memory.trouble.is_within(metadata.idle_for);
                    let answered = if !memory.is_as_wanted() {
                        memory.tell(connection).await
                    } else if is_doubtful {
                        connection.ping().await
                    } else {
                        Ok(())
                    };
                    answered.inspect_err(|_| memory.trouble.report()).map(|()| true)
                })
            })
            .map_sqlx_postgres_pool_opts(move |pool| {
                let memory = new.clone();
                pool.after_connect(move |connection, _| {
                    let memory = memory.clone();
                    Box::pin(async move {
                        memory.tell(connection).await?;
                        memory.is_connected();
                        Ok(())
                    })
                })
            });
    }

    /// A connection in the place of another is a sign that the other broke.
    fn is_connected(&self) {
        if std::mem::replace(&mut self.state().connected, true) {
            self.trouble.report();
        }
    }

    fn is_as_wanted(&self) -> bool {
        let state = self.state();
        state.shown.is_some() && state.shown == state.wanted
    }

    /// Tells a connection whose rows to show until it is told again.
    async fn tell(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let wanted = {
            let mut state = self.state();
            state.shown = None;
            state.wanted
        };
        let (tenant, system) = match wanted {
            Some(Shown::Tenant(id)) => (id.0.to_string(), ""),
            Some(Shown::Everything) => (String::new(), "on"),
            None => (String::new(), ""),
        };
        sqlx::query("SELECT set_config('kabar.tenant', $1, false), set_config('kabar.system', $2, false)")
            .bind(tenant)
            .bind(system)
            .execute(connection)
            .await?;
        self.state().shown = wanted;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
