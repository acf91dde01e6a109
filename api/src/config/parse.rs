//! From the merged file to the typed [`Config`]: every check of a value is here.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    Config, ConfigError, CorsOrigins, Database, Engine, Exports, Fetching, FirstRun, Graphql, Log, LogFormat, Login,
    Mail, Mode, Network, Passwords, RateLimits, Sandbox, Sending, Server, Sessions,
    layers::Origins,
    master_key,
    raw::{
        Raw, RawDatabase, RawEngine, RawFetching, RawFirstRun, RawGraphql, RawLog, RawMail, RawPasswords,
        RawRateLimits, RawSandbox, RawSending, RawServer, RawSessions,
    },
    telemetry,
};
use crate::secret::Secret;

/// The longest that an access token may last: a stolen one is good for no longer.
const MAX_ACCESS_TOKEN_SECONDS: u64 = 15 * 60;

/// So many messages of each device are claimed at once, and SQLite takes some thirty thousand values in a statement.
const LARGEST_WINDOW: usize = 128;

/// Checks every value.
pub(super) fn parse(raw: Raw, origins: &Origins) -> Result<Config, ConfigError> {
    let mode = mode(&raw.mode, &raw.server.public_url, origins)?;
    let master_key = master_key::resolve(mode, &raw.secret_key, &raw.data_dir, origins)?;
    let server = server(raw.server, origins)?;
    let first_run = first_run(raw.first_run, origins)?;
    if mode == Mode::Production {
        refuse_weak_secrets(&server, &first_run, origins)?;
    }
    Ok(Config {
        mode,
        master_key,
        previous_keys: master_key::previous(&raw.previous_secret_keys, origins)?,
        mail: mail(raw.mail, &server, origins)?,
        server,
        database: database(raw.database, &raw.data_dir, origins)?,
        first_run,
        sessions: sessions(&raw.sessions, origins)?,
        passwords: passwords(&raw.passwords, origins)?,
        login: Login {
            attempts_per_account: raw.login.attempts_per_account.max(1),
            attempts_per_address: raw.login.attempts_per_address.max(1),
            window: Duration::from_secs(raw.login.window_seconds.max(1)),
        },
        fetching: fetching(raw.fetching, origins)?,
        exports: Exports {
            at_once: raw.exports.at_once.max(1),
            at_once_per_tenant: raw.exports.at_once_per_tenant.max(1),
        },
        rate_limits: rate_limits(&raw.rate_limits),
        graphql: graphql(&raw.graphql, origins)?,
        sending: sending(&raw.sending, origins)?,
        engine: engine(&raw.engine, origins)?,
        sandbox: sandbox(raw.sandbox, origins)?,
        log: log(raw.log, origins)?,
        telemetry: telemetry::parse(raw.telemetry, origins)?,
        data_dir: raw.data_dir,
    })
}

/// What else guards something must not be short or an example, either.
fn refuse_weak_secrets(server: &Server, first_run: &FirstRun, origins: &Origins) -> Result<(), ConfigError> {
    let is_weak = |secret: &Secret, least: usize| {
        let text = secret.expose();
        text.len() < least || master_key::is_example(text)
    };
    if first_run
        .operator_password
        .as_ref()
        .is_some_and(|secret| is_weak(secret, 12))
    {
        let message =
            "production wants at least 12 characters that stand in no example; leave it empty to have one made";
        return Err(origins.invalid("first_run.operator_password", message));
    }
    if server.metrics_token.as_ref().is_some_and(|secret| is_weak(secret, 16)) {
        let message = "production wants at least 16 characters that stand in no example";
        return Err(origins.invalid("server.metrics_token", message));
    }
    Ok(())
}

/// A server that browsers reach by https is in production unless it says otherwise.
fn mode(text: &str, public_url: &str, origins: &Origins) -> Result<Mode, ConfigError> {
    match text {
        "" if cfg!(feature = "sandbox") && !public_url.starts_with("https://") => Ok(Mode::Development),
        "" | "production" => Ok(Mode::Production),
        "development" => Ok(Mode::Development),
        _ => Err(origins.invalid("mode", "write development or production")),
    }
}

/// An origin is what browsers send: scheme, host and perhaps a port, without a path.
fn cors_origins(listed: Vec<String>, origins: &Origins) -> Result<CorsOrigins, ConfigError> {
    if listed.iter().any(|origin| origin == "*") {
        return Ok(CorsOrigins::Any);
    }
    for origin in &listed {
        let host = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        let plain = |host: &str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte))
        };
        if !host.is_some_and(plain) {
            let said = format!("`{origin}` is no origin, such as https://app.example.com (lower case, without a path)");
            return Err(origins.invalid("server.cors_origins", said));
        }
    }
    Ok(CorsOrigins::List(listed))
}

fn server(raw: RawServer, origins: &Origins) -> Result<Server, ConfigError> {
    let public_url = optional(raw.public_url).map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &public_url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        return Err(origins.invalid("server.public_url", "it must begin with https:// or http://"));
    }
    at_least(raw.max_body_bytes as u64, 1_024, "server.max_body_bytes", origins)?;
    Ok(Server {
        listen: address(&raw.listen, "server.listen", origins)?,
        public_url,
        trusted_proxies: networks(&raw.trusted_proxies, "server.trusted_proxies", origins)?,
        cors_origins: cors_origins(raw.cors_origins, origins)?,
        max_body_bytes: raw.max_body_bytes,
        request_timeout: Duration::from_secs(at_least(
            raw.request_timeout_seconds,
            1,
            "server.request_timeout_seconds",
            origins,
        )?),
        shutdown: Duration::from_secs(raw.shutdown_seconds),
        web_dir: optional(raw.web_dir).map(PathBuf::from),
        graphiql: raw.graphiql,
        metrics_token: optional(raw.metrics_token).map(Secret::new),
    })
}

fn database(raw: RawDatabase, data_dir: &std::path::Path, origins: &Origins) -> Result<Database, ConfigError> {
    let url = match optional(raw.url) {
        None => format!("sqlite://{}", data_dir.join("kabar.db").display()),
        Some(url)
            if ["postgres://", "postgresql://", "sqlite://"]
                .iter()
                .any(|scheme| url.starts_with(scheme)) =>
        {
            url
        }
        Some(_) => return Err(origins.invalid("database.url", "it must begin with postgres:// or sqlite://")),
    };
    let connections = at_least(u64::from(raw.max_connections), 1, "database.max_connections", origins)?;
    Ok(Database {
        url: Secret::new(url),
        max_connections: u32::try_from(connections).unwrap_or(u32::MAX),
        acquire_timeout: Duration::from_millis(raw.acquire_timeout_ms.max(1)),
    })
}

fn first_run(raw: RawFirstRun, origins: &Origins) -> Result<FirstRun, ConfigError> {
    if !raw.operator_email.contains('@') {
        return Err(origins.invalid("first_run.operator_email", "it is no email address"));
    }
    let country = raw.tenant_country.to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(origins.invalid("first_run.tenant_country", "write two letters, such as ID"));
    }
    Ok(FirstRun {
        operator_email: raw.operator_email,
        operator_password: optional(raw.operator_password).map(Secret::new),
        operator_name: raw.operator_name,
        tenant_name: raw.tenant_name,
        tenant_country: country,
        tenant_language: raw.tenant_language,
        tenant_time_zone: raw.tenant_time_zone,
    })
}

fn sessions(raw: &RawSessions, origins: &Origins) -> Result<Sessions, ConfigError> {
    if !(30..=MAX_ACCESS_TOKEN_SECONDS).contains(&raw.access_token_seconds) {
        return Err(origins.invalid("sessions.access_token_seconds", "write 30 to 900"));
    }
    let idle = at_least(raw.idle_days, 1, "sessions.idle_days", origins)?;
    let max = at_least(raw.max_days, idle, "sessions.max_days", origins)?;
    if raw.refresh_grace_seconds > 60 {
        return Err(origins.invalid("sessions.refresh_grace_seconds", "write at most 60"));
    }
    Ok(Sessions {
        access_token: Duration::from_secs(raw.access_token_seconds),
        idle: days(idle),
        max: days(max),
        refresh_grace: Duration::from_secs(raw.refresh_grace_seconds),
    })
}

fn passwords(raw: &RawPasswords, origins: &Origins) -> Result<Passwords, ConfigError> {
    argon2::Params::new(raw.memory_kib, raw.iterations, raw.parallelism, None)
        .map_err(|error| origins.invalid("passwords", format!("argon2 refuses these parameters: {error}")))?;
    Ok(Passwords {
        memory_kib: raw.memory_kib,
        iterations: raw.iterations,
        parallelism: raw.parallelism,
        concurrency: raw.concurrency.clamp(1, 64),
    })
}

fn mail(raw: RawMail, server: &Server, origins: &Origins) -> Result<Mail, ConfigError> {
    let smtp_url = optional(raw.smtp_url);
    if let Some(url) = &smtp_url {
        if !(url.starts_with("smtp://") || url.starts_with("smtps://")) {
            return Err(origins.invalid("mail.smtp_url", "it must begin with smtp:// or smtps://"));
        }
        if server.public_url.is_none() {
            let message = "the links in mails begin with server.public_url: set it, too";
            return Err(origins.invalid("mail.smtp_url", message));
        }
    }
    if raw.from.parse::<lettre::message::Mailbox>().is_err() {
        let message = "write an address, or a name with an address as in \"Kabar <kabar@example.com>\"";
        return Err(origins.invalid("mail.from", message));
    }
    Ok(Mail {
        smtp_url: smtp_url.map(Secret::new),
        authorities: authorities(raw.ca_file, "mail.ca_file", origins)?,
        from: raw.from,
    })
}

fn fetching(raw: RawFetching, origins: &Origins) -> Result<Fetching, ConfigError> {
    let timeout = at_least(raw.timeout_ms, 1, "fetching.timeout_ms", origins)?;
    Ok(Fetching {
        timeout: Duration::from_millis(timeout),
        allowed_networks: networks(&raw.allowed_networks, "fetching.allowed_networks", origins)?,
        authorities: authorities(raw.ca_file, "fetching.ca_file", origins)?,
    })
}

/// The certificates of a file, when one is named.
pub(super) fn authorities(path: String, key: &str, origins: &Origins) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = optional(path) else { return Ok(None) };
    let unreadable = |problem: &str| origins.invalid(key, format!("{path} {problem}"));
    let pem = std::fs::read(&path).map_err(|error| unreadable(&format!("can't be read: {error}")))?;
    if String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        Ok(Some(pem))
    } else {
        Err(unreadable("holds no certificate as PEM"))
    }
}

fn networks(texts: &[String], key: &str, origins: &Origins) -> Result<Vec<Network>, ConfigError> {
    let refuse = |text: &str| {
        let message = format!("`{text}` is no address or network, such as 10.0.0.0/8");
        origins.invalid(key, message)
    };
    let parsed = texts.iter().map(|text| text.parse().map_err(|()| refuse(text)));
    parsed.collect()
}

/// 0 is no limit.
fn rate_limits(raw: &RawRateLimits) -> RateLimits {
    let most = |number: u64| i64::try_from(number).ok().filter(|number| *number > 0);
    RateLimits {
        anonymous_requests: most(raw.anonymous_requests.into()),
        anonymous_window: Duration::from_secs(raw.anonymous_window_seconds.max(1)),
        api_cost_per_minute: most(raw.api_cost_per_minute),
        campaign_starts_per_hour: most(raw.campaign_starts_per_hour.into()),
        uploads_per_minute: most(raw.uploads_per_minute.into()),
        otp_sends_per_hour: most(raw.otp_sends_per_hour.into()),
    }
}

fn graphql(raw: &RawGraphql, origins: &Origins) -> Result<Graphql, ConfigError> {
    at_least(raw.max_depth as u64, 3, "graphql.max_depth", origins)?;
    Ok(Graphql {
        max_document_bytes: raw.max_document_bytes,
        max_depth: raw.max_depth,
        max_complexity: raw.max_complexity,
        max_aliases: raw.max_aliases,
        max_root_fields: raw.max_root_fields,
        introspection: raw.introspection,
        max_operations_per_socket: raw.max_operations_per_socket.max(1),
        max_socket_message_bytes: raw.max_socket_message_bytes.max(1_024),
        socket_init: Duration::from_secs(raw.socket_init_seconds.max(1)),
        socket_ping: Duration::from_secs(raw.socket_ping_seconds.max(1)),
    })
}

fn sending(raw: &RawSending, origins: &Origins) -> Result<Sending, ConfigError> {
    if !(1..=LARGEST_WINDOW).contains(&raw.window) {
        return Err(origins.invalid("sending.window", format!("write 1 to {LARGEST_WINDOW}")));
    }
    Ok(Sending {
        window: raw.window,
        gap: Duration::from_millis(raw.gap_ms),
        jitter: Duration::from_millis(raw.jitter_ms),
    })
}

fn engine(raw: &RawEngine, origins: &Origins) -> Result<Engine, ConfigError> {
    let min = at_least(raw.reconnect_min_ms, 1, "engine.reconnect_min_ms", origins)?;
    let max = at_least(raw.reconnect_max_ms, min, "engine.reconnect_max_ms", origins)?;
    at_least(
        u64::from(raw.restore_per_second),
        1,
        "engine.restore_per_second",
        origins,
    )?;
    Ok(Engine {
        reconnect_min: Duration::from_millis(min),
        reconnect_max: Duration::from_millis(max),
        connect_timeout: Duration::from_millis(raw.connect_timeout_ms.max(1)),
        ack_timeout: Duration::from_millis(raw.ack_timeout_ms.max(1)),
        probe_timeout: Duration::from_millis(raw.probe_timeout_ms.max(1)),
        restore_per_second: raw.restore_per_second,
    })
}

fn sandbox(raw: RawSandbox, origins: &Origins) -> Result<Sandbox, ConfigError> {
    let url = optional(raw.url);
    if let Some(url) = &url
        && !(url.starts_with("ws://") || url.starts_with("wss://"))
    {
        return Err(origins.invalid("sandbox.url", "it must begin with ws:// or wss://"));
    }
    Ok(Sandbox {
        url,
        listen: address(&raw.listen, "sandbox.listen", origins)?,
        persist: raw.persist,
    })
}

fn log(raw: RawLog, origins: &Origins) -> Result<Log, ConfigError> {
    let format = match raw.format.as_str() {
        "" => LogFormat::Auto,
        "human" => LogFormat::Human,
        "json" => LogFormat::Json,
        _ => return Err(origins.invalid("log.format", "write human or json")),
    };
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&raw.level) {
        return Err(origins.invalid("log.level", error.to_string()));
    }
    Ok(Log {
        format,
        level: raw.level,
    })
}

fn address(text: &str, key: &str, origins: &Origins) -> Result<SocketAddr, ConfigError> {
    text.parse()
        .map_err(|_| origins.invalid(key, "write an address and a port, such as 127.0.0.1:8080"))
}

fn at_least(value: u64, least: u64, key: &str, origins: &Origins) -> Result<u64, ConfigError> {
    if value < least {
        Err(origins.invalid(key, format!("write {least} or more")))
    } else {
        Ok(value)
    }
}

pub(super) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}
