//! The server inside the test's own process, with a clock that the test moves.

use anyhow::{Context, Result};
use api::app::App;
use api::clock::Clock;
use api::config::{Config, Sources};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::database::TestDatabase;
use crate::stage::{EMAIL, PASSWORD};

/// A server without a WhatsApp network, on loopback.
pub struct TestApp {
    pub client: Client,
    pub clock: Clock,
    /// What `login` answered.
    pub session: serde_json::Value,
    _stop: oneshot::Sender<()>,
    _serving: JoinHandle<()>,
    /// What the server's routes work with.
    pub services: std::sync::Arc<api::http::Services>,
    pub database: TestDatabase,
    _data: tempfile::TempDir,
}

impl TestApp {
    pub async fn new(database: TestDatabase) -> Result<Self> {
        Self::with(database, &[]).await
    }

    /// With settings besides, by their keys in the configuration file.
    pub async fn with(database: TestDatabase, further: &[(&'static str, &str)]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let settings = [
            ("data_dir", data.path().display().to_string()),
            ("database.url", database.url()),
            ("first_run.operator_email", EMAIL.to_owned()),
            ("first_run.operator_password", PASSWORD.to_owned()),
            // Many tests call without a login, all from one address.
            ("rate_limits.anonymous_requests", "100000".to_owned()),
            // Nobody listens there: devices can't connect, and no test here needs one that does.
            ("sandbox.url", "ws://127.0.0.1:9/ws/chat".to_owned()),
        ];
        let settings = settings.iter().map(|(key, value)| (*key, value.as_str()));
        let settings: Vec<(&str, &str)> = settings.chain(further.iter().copied()).collect();
        let config = Config::load(&Sources::only(&settings))?;
        let clock = Clock::held_at(Clock::system().now());
        let app = App::start_with_clock(config, clock.clone()).await?;
        let services = app.services();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(app.serve(listener, async move {
            // An error means that the test is over, which is the same.
            let _ = stopped.await;
        }));
        let (client, session) = Client::new(&base)
            .login(EMAIL, PASSWORD)
            .await
            .context("the first login")?;
        Ok(Self {
            client,
            clock,
            session,
            _stop: stop,
            _serving: serving,
            services,
            database,
            _data: data,
        })
    }
}
