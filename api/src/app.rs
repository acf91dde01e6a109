//! The server as a whole: puts the parts together, serves, and stops in order.
//!
//! **Invariant:** what was accepted is finished or safe when [`App::stop`] returns: requests first, then what is on the
//! wire, then what came in, then the leases, then the database.

mod data_dir;
mod rotation;
mod wiring;

pub use rotation::{Rotated, rotate_encryption_key, rotate_signing_key};
pub use wiring::open_store;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::Config,
    devices::{Devices, Leases},
    engine,
    http::{self, Services},
    keys::Keyring,
    mail::Mailer,
    messages::Senders,
    platform::Erasure,
    store::Store,
    tenants::NewOperator,
};

/// Leases are renewed this often; they hold several times as long.
const RENEW_LEASES: Duration = Duration::from_secs(15);

/// How often it is written down when API tokens were used last.
const KEEP_USES: Duration = Duration::from_mins(1);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory can't be used.
    #[error("the data directory {path} can't be used")]
    DataDir {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another server uses the data directory.
    #[error("another Kabar runs with the data directory {0}: stop it, or set KABAR_DATA_DIR to another one")]
    InUse(String),
    /// The database can't be opened.
    #[error("the database can't be opened")]
    Open(#[from] crate::store::OpenError),
    /// The database can't be brought up to date, or read.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
    /// The first operator can't be made.
    #[error("the first operator can't be made")]
    FirstRun(#[from] crate::tenants::FirstRunError),
    /// Passwords can't be hashed as configured.
    #[error(transparent)]
    Passwords(#[from] crate::tenants::PasswordError),
    /// The server's own keys can't be used.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
    /// Mail can't be sent as configured.
    #[error(transparent)]
    Mail(#[from] crate::mail::MailError),
    /// What users name can't be fetched as configured.
    #[error(transparent)]
    Fetching(#[from] crate::fetch::AuthorityError),
    /// The engine can't run as configured.
    #[error("the engine can't start")]
    Engine(#[from] engine::EngineError),
    /// The sandbox network can't run.
    #[error("the sandbox network can't start: {0}")]
    Sandbox(String),
}

/// A running server. It answers through [`App::router`] at once; [`App::serve`] gives it a port.
pub struct App {
    services: Arc<Services>,
    devices: Devices,
    leases: Leases,
    store: Store,
    engine: engine::Handle,
    senders: Senders,
    mailer: Mailer,
    keyring: Keyring,
    dispatch: JoinHandle<()>,
    first_operator: Option<NewOperator>,
    erasure: Erasure,
    #[cfg(feature = "sandbox")]
    network: Option<sandbox::Network>,
    _data_dir: data_dir::Lock,
}

impl App {
    /// Opens the database, brings it up to date, and starts everything but the HTTP server.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        wiring::start(config, Clock::system()).await
    }

    /// The same with a clock that a test can hold.
    pub async fn start_with_clock(config: Config, clock: Clock) -> Result<Self, StartError> {
        wiring::start(config, clock).await
    }

    /// Every route.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.services))
    }

    /// What the routes work with, for those who run the schema without them.
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// The operator that this start made, because there was nobody.
    pub fn first_operator(&self) -> Option<&NewOperator> {
        self.first_operator.as_ref()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// Where the embedded sandbox network listens.
    #[cfg(feature = "sandbox")]
    pub fn sandbox_url(&self) -> Option<String> {
        self.network.as_ref().map(sandbox::Network::url)
    }

    /// Answers requests until `until` ends, then stops everything.
    pub async fn serve(self, listener: TcpListener, until: impl Future<Output = ()>) {
        let grace = self.services.config.server.shutdown;
        let stopping = self.services.stopping.clone();
        let listener = listener.tap_io(|connection| {
            // Answers are small and somebody waits for each.
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let make = self.router().into_make_service_with_connect_info::<SocketAddr>();
        let graceful = stopping.clone();
        let mut server = tokio::spawn(async move {
            axum::serve(listener, make)
                .with_graceful_shutdown(async move { graceful.cancelled().await })
                .await
        });
        tokio::select! {
            () = until => {}
            ended = &mut server => tracing::error!(?ended, "the HTTP server ended by itself"),
        }
        stopping.cancel();
        if !server.is_finished() && tokio::time::timeout(grace, &mut server).await.is_err() {
            tracing::warn!("some requests did not end in time");
            server.abort();
        }
        self.stop().await;
    }

    /// Stops everything in order.
    pub async fn stop(self) {
        self.services.stopping.cancel();
        let grace = self.services.config.server.shutdown;
        self.senders.drain(grace).await;
        self.mailer.drain(grace).await;
        if tokio::time::timeout(grace, self.engine.shutdown()).await.is_err() {
            tracing::warn!("the engine did not stop in time; what was on the wire is sent again after the next start");
        }
        // The dispatcher ends when the engine has told everything.
        if tokio::time::timeout(grace, self.dispatch).await.is_err() {
            tracing::warn!("what came in last was not all stored; WhatsApp delivers it again");
        }
        if let Err(error) = self.leases.release_all().await {
            tracing::warn!(%error, "leases could not be released; they expire by themselves");
        }
        #[cfg(feature = "sandbox")]
        if let Some(network) = self.network {
            network.shutdown().await;
        }
        if let Err(error) = self.services.accounts.authenticator().keep_uses().await {
            tracing::warn!(%error, "the last uses of API tokens were not written down");
        }
        drop(self.services);
        drop(self.devices);
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the database was not closed well");
        }
        tracing::info!("stopped");
    }

    /// What goes on beside requests.
    fn start_background(&self) {
        let stopping = &self.services.stopping;
        let leases = self.leases.clone();
        spawn_until(stopping, async move {
            let mut ticks = tokio::time::interval(RENEW_LEASES);
            loop {
                ticks.tick().await;
                if let Err(error) = leases.renew().await {
                    tracing::warn!(%error, "leases could not be renewed");
                }
            }
        });
        spawn_until(stopping, self.services.rates.clone().follow());
        spawn_until(stopping, self.keyring.clone().follow());
        spawn_until(stopping, self.erasure.clone().run());
        spawn_until(stopping, self.services.windows.clone().share_for_ever());
        let authenticator = self.services.accounts.authenticator().clone();
        spawn_until(stopping, async move {
            let mut ticks = tokio::time::interval(KEEP_USES);
            loop {
                ticks.tick().await;
                if let Err(error) = authenticator.keep_uses().await {
                    tracing::warn!(%error, "the last uses of API tokens were not written down");
                }
            }
        });
        let devices = self.devices.clone();
        let stagger = Duration::from_secs(1) / self.services.config.engine.restore_per_second.max(1);
        spawn_until(stopping, async move {
            let mut pause = Duration::from_millis(250);
            loop {
                match devices.restore(stagger).await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "linked devices are connecting again"),
                    // They wait for nobody else: without another try they would rest until the next start.
                    Err(error) => {
                        tracing::error!(%error, "linked devices could not be restored; trying again");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(Duration::from_secs(30));
                        continue;
                    }
                }
                break;
            }
        });
    }
}

/// Runs beside everything else until the server stops.
fn spawn_until(stopping: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
    let stopping = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = work => {}
            () = stopping.cancelled() => {}
        }
    });
}
