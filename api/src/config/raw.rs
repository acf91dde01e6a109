//! The configuration file as it is written: the shape of `kabar.default.toml`, where every key has its value. Nothing is
//! checked here but that no key is unknown; `parse.rs` says what is right.

use std::path::PathBuf;

use serde::Deserialize;

/// The file as it is written. Field names are the keys of `kabar.default.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub mode: String,
    pub data_dir: PathBuf,
    pub secret_key: String,
    pub previous_secret_keys: Vec<String>,
    pub server: RawServer,
    pub database: RawDatabase,
    pub first_run: RawFirstRun,
    pub sessions: RawSessions,
    pub passwords: RawPasswords,
    pub login: RawLogin,
    pub mail: RawMail,
    pub fetching: RawFetching,
    pub exports: RawExports,
    pub rate_limits: RawRateLimits,
    pub graphql: RawGraphql,
    pub sending: RawSending,
    pub engine: RawEngine,
    pub sandbox: RawSandbox,
    pub log: RawLog,
    pub telemetry: RawTelemetry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub listen: String,
    pub public_url: String,
    pub trusted_proxies: Vec<String>,
    pub cors_origins: Vec<String>,
    pub max_body_bytes: usize,
    pub request_timeout_seconds: u64,
    pub shutdown_seconds: u64,
    pub web_dir: String,
    pub graphiql: bool,
    pub metrics_token: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    pub url: String,
    pub max_connections: u32,
    pub acquire_timeout_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFirstRun {
    pub operator_email: String,
    pub operator_password: String,
    pub operator_name: String,
    pub tenant_name: String,
    pub tenant_country: String,
    pub tenant_language: String,
    pub tenant_time_zone: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSessions {
    pub access_token_seconds: u64,
    pub idle_days: u64,
    pub max_days: u64,
    pub refresh_grace_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPasswords {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    pub concurrency: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLogin {
    pub attempts_per_account: u32,
    pub attempts_per_address: u32,
    pub window_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    pub smtp_url: String,
    pub ca_file: String,
    pub from: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFetching {
    pub timeout_ms: u64,
    pub allowed_networks: Vec<String>,
    pub ca_file: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExports {
    pub at_once: usize,
    pub at_once_per_tenant: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRateLimits {
    pub anonymous_requests: u32,
    pub anonymous_window_seconds: u64,
    pub api_cost_per_minute: u64,
    pub campaign_starts_per_hour: u32,
    pub uploads_per_minute: u32,
    pub otp_sends_per_hour: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGraphql {
    pub max_document_bytes: usize,
    pub max_depth: usize,
    pub max_complexity: u64,
    pub max_aliases: usize,
    pub max_root_fields: usize,
    pub introspection: bool,
    pub max_operations_per_socket: usize,
    pub max_socket_message_bytes: usize,
    pub socket_init_seconds: u64,
    pub socket_ping_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSending {
    pub window: usize,
    pub gap_ms: u64,
    pub jitter_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEngine {
    pub reconnect_min_ms: u64,
    pub reconnect_max_ms: u64,
    pub connect_timeout_ms: u64,
    pub ack_timeout_ms: u64,
    pub probe_timeout_ms: u64,
    pub restore_per_second: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSandbox {
    pub url: String,
    pub listen: String,
    pub persist: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub format: String,
    pub level: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTelemetry {
    pub otlp_endpoint: String,
    pub ca_file: String,
    pub headers: Vec<String>,
    pub service_name: String,
    pub sample_ratio: f64,
}
