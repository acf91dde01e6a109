//! The configuration, parsed: every value is checked here, and code below reads only the typed [`Config`].
//!
//! Owns the file and the environment: nothing else in the server reads either. What settings there are, and their
//! defaults, is written once, in `kabar.default.toml`, which is built in.

mod layers;
mod master_key;
mod network;
mod parse;
mod raw;
mod telemetry;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use self::{
    layers::{Sources, default_file},
    network::Network,
};
use crate::secret::{MasterKey, Secret};

/// Why the configuration can't be used. The text names the setting, its source, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is missing or can't be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no TOML.
    #[error("{path} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        message: String,
    },
    /// A file has a key that means nothing.
    #[error("{path}: unknown setting `{key}`{suggestion}")]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key with its section.
        key: String,
        /// "; did you mean …?" or nothing.
        suggestion: String,
    },
    /// A value is of the wrong type or out of range.
    #[error("{origin} is invalid: {message}")]
    Invalid {
        /// The setting or the variable it came from.
        origin: String,
        /// What would be right.
        message: String,
    },
    /// Production demands a strong secret.
    #[error("{0}")]
    Secret(String),
}

/// Whether mistakes that only matter on the internet are forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forgiving: a secret key is made when there is none.
    Development,
    /// Strict.
    Production,
}

/// Every setting.
#[derive(Clone, Debug)]
pub struct Config {
    /// How strict to be.
    pub mode: Mode,
    /// Where files are kept.
    pub data_dir: PathBuf,
    /// What every key is derived from.
    pub master_key: MasterKey,
    /// What keys were derived from before, the newest first: they only open what is stored.
    pub previous_keys: Vec<MasterKey>,
    /// The HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The first user and tenant.
    pub first_run: FirstRun,
    /// Lifetimes of tokens and sessions.
    pub sessions: Sessions,
    /// Password hashing.
    pub passwords: Passwords,
    /// Throttling of logins.
    pub login: Login,
    /// Mail that goes out.
    pub mail: Mail,
    /// What users name and the server fetches.
    pub fetching: Fetching,
    /// Files that are made for callers.
    pub exports: Exports,
    /// How many in how short a time.
    pub rate_limits: RateLimits,
    /// Limits of queries.
    pub graphql: Graphql,
    /// How messages go out.
    pub sending: Sending,
    /// How devices connect.
    pub engine: Engine,
    /// The sandbox network.
    pub sandbox: Sandbox,
    /// Logging.
    pub log: Log,
    /// Traces.
    pub telemetry: Telemetry,
}

/// Origins of pages of other sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every page.
    Any,
    /// These only.
    List(Vec<String>),
}

/// The HTTP server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// How browsers reach the server, without a slash at its end.
    pub public_url: Option<String>,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Pages of other sites that may call the API from a browser.
    pub cors_origins: CorsOrigins,
    /// The largest request body.
    pub max_body_bytes: usize,
    /// A request that takes longer is given up.
    pub request_timeout: Duration,
    /// How long a shutdown waits.
    pub shutdown: Duration,
    /// Console files on disk.
    pub web_dir: Option<PathBuf>,
    /// Whether `/graphiql` exists.
    pub graphiql: bool,
    /// What a scraper of `/metrics` sends.
    pub metrics_token: Option<Secret>,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// `postgres://…` or `sqlite://…`.
    pub url: Secret,
    /// Size of the pool.
    pub max_connections: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
}

/// The first user and tenant.
#[derive(Clone, Debug)]
pub struct FirstRun {
    /// The operator's email address.
    pub operator_email: String,
    /// The operator's password; made at random when not set.
    pub operator_password: Option<Secret>,
    /// The operator's name.
    pub operator_name: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// ISO 3166-1 alpha-2.
    pub tenant_country: String,
    /// `en` or `id`.
    pub tenant_language: String,
    /// IANA name.
    pub tenant_time_zone: String,
}

/// Lifetimes of tokens and sessions.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// Of an access token.
    pub access_token: Duration,
    /// Of a session that is not used.
    pub idle: Duration,
    /// Of a session in any case.
    pub max: Duration,
    /// How long a replaced refresh token still gets its replacement.
    pub refresh_grace: Duration,
}

/// Password hashing.
#[derive(Clone, Copy, Debug)]
pub struct Passwords {
    /// Memory of one hash.
    pub memory_kib: u32,
    /// Passes.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// How many at the same time.
    pub concurrency: usize,
}

/// Throttling of logins.
#[derive(Clone, Copy, Debug)]
pub struct Login {
    /// Failed attempts per account and window.
    pub attempts_per_account: u32,
    /// Failed attempts per address and window.
    pub attempts_per_address: u32,
    /// The window.
    pub window: Duration,
}

/// Mail that goes out.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtp://…` or `smtps://…`; without one nothing is mailed.
    pub smtp_url: Option<Secret>,
    /// Certificates of authorities that are trusted besides the public ones, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// Who it is from.
    pub from: String,
}

/// What users name and the server fetches, such as the pages behind links.
#[derive(Clone, Debug)]
pub struct Fetching {
    /// How long one thing may take in all.
    pub timeout: Duration,
    /// What may be fetched from besides the public internet.
    pub allowed_networks: Vec<Network>,
    /// Certificates of authorities that are trusted besides the public ones, as PEM.
    pub authorities: Option<Vec<u8>>,
}

/// How many files are made for callers at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Exports {
    /// By this server.
    pub at_once: usize,
    /// Of those, for one tenant.
    pub at_once_per_tenant: usize,
}

/// How many in how short a time, until operators set something else.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// Requests of an address without a login, per window.
    pub anonymous_requests: Option<i64>,
    /// That window.
    pub anonymous_window: Duration,
    /// What a tenant's queries may cost.
    pub api_cost_per_minute: Option<i64>,
    /// Campaigns that a tenant may start.
    pub campaign_starts_per_hour: Option<i64>,
    /// Files that a tenant may upload.
    pub uploads_per_minute: Option<i64>,
    /// One-time passwords to one number.
    pub otp_sends_per_hour: Option<i64>,
}

/// Limits of queries.
#[derive(Clone, Copy, Debug)]
pub struct Graphql {
    /// The longest document.
    pub max_document_bytes: usize,
    /// Deepest nesting of fields.
    pub max_depth: usize,
    /// Highest cost of a query.
    pub max_complexity: u64,
    /// Most aliases of a document.
    pub max_aliases: usize,
    /// Most fields at the root of an operation.
    pub max_root_fields: usize,
    /// Whether introspection is answered.
    pub introspection: bool,
    /// Most operations on one websocket.
    pub max_operations_per_socket: usize,
    /// Largest websocket message.
    pub max_socket_message_bytes: usize,
    /// How long a websocket may take to authenticate.
    pub socket_init: Duration,
    /// How often an idle websocket is pinged.
    pub socket_ping: Duration,
}

/// How messages go out.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Unacknowledged messages per device.
    pub window: usize,
    /// Least time between two messages of a device.
    pub gap: Duration,
    /// Most that is added to it at random.
    pub jitter: Duration,
}

/// How devices connect.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// First wait before reconnecting.
    pub reconnect_min: Duration,
    /// Longest wait before reconnecting.
    pub reconnect_max: Duration,
    /// How long dialling may take.
    pub connect_timeout: Duration,
    /// How long an acknowledgement may take.
    pub ack_timeout: Duration,
    /// How long a suspected connection has to answer.
    pub probe_timeout: Duration,
    /// Devices connected per second after a start.
    pub restore_per_second: u32,
}

/// The sandbox network.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// An external one.
    pub url: Option<String>,
    /// Where the embedded one listens.
    pub listen: SocketAddr,
    /// Whether the embedded one keeps its state in the data directory.
    pub persist: bool,
}

/// Logging.
#[derive(Clone, Debug)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Filter directives.
    pub level: String,
}

/// Traces for an OpenTelemetry collector.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Where OTLP over HTTP is taken, with its path; without one nothing is traced.
    pub endpoint: Option<String>,
    /// Certificates of authorities that are trusted besides the public ones, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// What every request to it carries.
    pub headers: Vec<(String, Secret)>,
    /// How traces call this server.
    pub service_name: String,
    /// The part of the traces that is recorded, 0 to 1, of those that begin here.
    pub sample_ratio: f64,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// Reads file and environment.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let (raw, origins) = layers::read(sources)?;
        parse::parse(raw, &origins)
    }

    /// The defaults, with the given settings over them: for tests. Keys are dotted, as `server.listen`.
    pub fn for_tests(settings: &[(&str, &str)]) -> Result<Self, ConfigError> {
        Self::load(&Sources::only(settings))
    }

    /// The current secret first, then those of before.
    pub fn secrets(&self) -> Vec<MasterKey> {
        let current = std::iter::once(&self.master_key);
        current.chain(&self.previous_keys).cloned().collect()
    }

    /// Whether browsers reach the server by https, as far as the configuration tells.
    pub fn public_is_https(&self) -> bool {
        self.server
            .public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}
