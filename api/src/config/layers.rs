//! The layers of the configuration: built-in defaults, the file, the environment.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    path::PathBuf,
};

use toml::{Table, Value};

use super::{ConfigError, raw::Raw};

/// Variables with a name of their own; every other one is called `KABAR_<SECTION>_<KEY>`.
const SHORT_NAMES: [(&str, &str); 12] = [
    ("KABAR_LISTEN", "server.listen"),
    ("KABAR_PUBLIC_URL", "server.public_url"),
    ("KABAR_WEB_DIR", "server.web_dir"),
    ("KABAR_OPERATOR_EMAIL", "first_run.operator_email"),
    ("KABAR_OPERATOR_PASSWORD", "first_run.operator_password"),
    ("KABAR_SMTP_URL", "mail.smtp_url"),
    ("KABAR_LOG", "log.level"),
    // These three follow the rule; they stand here so that the list of short names is complete.
    ("KABAR_DATA_DIR", "data_dir"),
    ("KABAR_SECRET_KEY", "secret_key"),
    ("KABAR_MODE", "mode"),
    ("KABAR_SANDBOX_URL", "sandbox.url"),
    ("KABAR_SANDBOX_LISTEN", "sandbox.listen"),
];

/// Variables that other programs know as well. Kabar's own names go before them.
const STANDARD_NAMES: [(&str, &str); 3] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp_endpoint"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "telemetry.ca_file"),
    ("OTEL_SERVICE_NAME", "telemetry.service_name"),
];

/// The file that documents every setting, and holds its default.
pub fn default_file() -> &'static str {
    include_str!("../../kabar.default.toml")
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file that was asked for; it must exist.
    file: Option<PathBuf>,
    /// The file that is read when it exists.
    usual_file: Option<PathBuf>,
    /// The environment.
    variables: BTreeMap<String, String>,
    /// Settings by their dotted key, over everything else.
    settings: Vec<(String, String)>,
}

impl Sources {
    /// The process' environment, and the file that `--config` or KABAR_CONFIG names, or `./kabar.toml`.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let is_ours = |name: &str| name.starts_with("KABAR_") || STANDARD_NAMES.iter().any(|(known, _)| *known == name);
        let variables: BTreeMap<String, String> = env::vars().filter(|(name, _)| is_ours(name)).collect();
        let named = variables
            .get("KABAR_CONFIG")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        Self {
            file: file.or(named),
            usual_file: Some("kabar.toml".into()),
            variables,
            settings: Vec::new(),
        }
    }

    /// Only these settings over the defaults: neither a file nor the environment.
    pub fn only(settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            settings,
            ..Self::default()
        }
    }
}

/// Where each setting came from, for error messages.
#[derive(Debug, Default)]
pub(super) struct Origins(HashMap<String, String>);

impl Origins {
    /// An error that names the variable or the file's key.
    pub(super) fn invalid(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let origin = self
            .0
            .get(key)
            .cloned()
            .unwrap_or_else(|| format!("the setting `{key}`"));
        ConfigError::Invalid {
            origin,
            message: message.into(),
        }
    }
}

/// Merges the layers.
pub(super) fn read(sources: &Sources) -> Result<(Raw, Origins), ConfigError> {
    let mut table: Table = toml::from_str(default_file()).expect("the built-in defaults are valid, a test reads them");
    let known = keys(&table);
    let mut origins = Origins::default();
    if let Some((path, text)) = file_text(sources)? {
        let file: Table = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.clone(),
            message: error.to_string(),
        })?;
        for (key, value) in flatten(&file) {
            if !known.contains(&key) {
                return Err(ConfigError::UnknownKey {
                    path,
                    suggestion: suggestion(&key, &known),
                    key,
                });
            }
            origins.0.insert(key.clone(), format!("`{key}` in {}", path.display()));
            let value = match (get(&table, &key), value) {
                // `1` is a number like `1.0`.
                (Some(Value::Float(_)), Value::Integer(number)) => {
                    i32::try_from(number).map_or(Value::Integer(number), |number| Value::Float(number.into()))
                }
                (_, value) => value,
            };
            set(&mut table, &key, value);
        }
    }
    for key in &known {
        let name = variable(key);
        let of_key = |(name, of): &(&'static str, &str)| (of == key).then_some(*name);
        let standard = STANDARD_NAMES.iter().find_map(of_key);
        let short = SHORT_NAMES.iter().find_map(of_key);
        for name in [standard, Some(name.as_str()), short].into_iter().flatten() {
            if let Some(text) = sources.variables.get(name) {
                origins.0.insert(key.clone(), name.to_owned());
                set_text(&mut table, key, text, &origins)?;
            }
        }
    }
    for (key, text) in &sources.settings {
        if !known.contains(key) {
            let path = PathBuf::from("settings");
            return Err(ConfigError::UnknownKey {
                path,
                suggestion: suggestion(key, &known),
                key: key.clone(),
            });
        }
        set_text(&mut table, key, text, &origins)?;
    }
    for key in &known {
        let kind = get(&table, key).map(Value::type_str);
        let default: Table = toml::from_str(default_file()).expect("the built-in defaults are valid");
        let wanted = get(&default, key).map_or("value", Value::type_str);
        if kind != Some(wanted) {
            return Err(origins.invalid(key, format!("write a value of type {wanted}")));
        }
    }
    let raw = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| ConfigError::Invalid {
            origin: "the configuration".to_owned(),
            message: error.message().to_owned(),
        })?;
    Ok((raw, origins))
}

fn file_text(sources: &Sources) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let (path, required) = match (&sources.file, &sources.usual_file) {
        (Some(path), _) => (path, true),
        (None, Some(path)) => (path, false),
        (None, None) => return Ok(None),
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.clone(), text))),
        Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::Unreadable {
            path: path.clone(),
            source,
        }),
    }
}

/// The variable of a key: `server.max_body_bytes` is KABAR_SERVER_MAX_BODY_BYTES.
fn variable(key: &str) -> String {
    format!("KABAR_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Every key with its value, sections joined by a dot.
fn flatten(table: &Table) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(section) => {
                flat.extend(
                    flatten(section)
                        .into_iter()
                        .map(|(key, value)| (format!("{name}.{key}"), value)),
                );
            }
            value => flat.push((name.clone(), value.clone())),
        }
    }
    flat
}

fn keys(table: &Table) -> Vec<String> {
    flatten(table).into_iter().map(|(key, _)| key).collect()
}

fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, name)) => table.get(section)?.as_table()?.get(name),
        None => table.get(key),
    }
}

fn set(table: &mut Table, key: &str, value: Value) {
    let (table, name) = match key.split_once('.') {
        Some((section, name)) => match table.get_mut(section) {
            Some(Value::Table(section)) => (section, name),
            _ => return,
        },
        None => (table, key),
    };
    table.insert(name.to_owned(), value);
}

/// Reads a text as the type that the setting has now, which is that of its default.
fn set_text(table: &mut Table, key: &str, text: &str, origins: &Origins) -> Result<(), ConfigError> {
    let value = match get(table, key) {
        Some(Value::Boolean(_)) => match text {
            "true" | "1" | "yes" | "on" => Value::Boolean(true),
            "false" | "0" | "no" | "off" => Value::Boolean(false),
            _ => return Err(origins.invalid(key, "write true or false")),
        },
        Some(Value::Integer(_)) => match text.replace('_', "").parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => return Err(origins.invalid(key, "write a whole number")),
        },
        Some(Value::Float(_)) => match text.parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return Err(origins.invalid(key, "write a number")),
        },
        Some(Value::Array(_)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    };
    set(table, key, value);
    Ok(())
}

/// The known key that looks most like the unknown one, of the same section if there is one.
fn suggestion(key: &str, known: &[String]) -> String {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let alike = |candidate: &&String| {
        let other = candidate.rsplit('.').next().unwrap_or(candidate);
        other == name || (name.len() > 3 && (other.contains(name) || name.contains(other)))
    };
    let nearby = |candidate: &&String| alike(candidate) && candidate.starts_with(section);
    let found = known.iter().find(nearby).or_else(|| known.iter().find(alike));
    found.map_or_else(String::new, |candidate| format!("; did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn with_variables(variables: &[(&str, &str)]) -> Sources {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut sources = Sources::only(&[("secret_key", "0123456789abcdef0123456789abcdef-test")]);
        sources.variables = variables;
        sources
    }

    fn with_file(text: &str) -> (Sources, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
        std::fs::write(file.path(), text).expect("the file can be written");
        (
            Sources {
                file: Some(file.path().to_owned()),
                ..with_variables(&[])
            },
            file,
        )
    }

    #[test]
    fn defaults_are_complete_and_valid() {
        let config = Config::load(&with_variables(&[])).expect("the defaults are valid");
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.database.url.expose(), "sqlite://./data/kabar.db");
        assert_eq!(config.sessions.access_token.as_secs(), 600);
    }

    #[test]
    fn environment_wins_by_long_and_short_name() {
        let config = Config::load(&with_variables(&[
            ("KABAR_LISTEN", "0.0.0.0:0"),
            ("KABAR_DATABASE_URL", "postgres://u:p@h/d"),
            ("KABAR_GRAPHQL_MAX_DEPTH", "9"),
            ("KABAR_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("KABAR_SERVER_GRAPHIQL", "false"),
        ]))
        .expect("valid");
        assert_eq!(config.server.listen.to_string(), "0.0.0.0:0");
        assert_eq!(config.database.url.expose(), "postgres://u:p@h/d");
        assert_eq!(config.graphql.max_depth, 9);
        assert_eq!(config.server.trusted_proxies.len(), 2);
        assert!(!config.server.graphiql);
    }

    #[test]
    fn invalid_values_name_the_variable() {
        for (name, value) in [
            ("KABAR_LISTEN", "everywhere"),
            ("KABAR_SERVER_CORS_ORIGINS", "app.example.com"),
            ("KABAR_SERVER_CORS_ORIGINS", "https://app.example.com, https://x/path"),
            ("KABAR_GRAPHQL_MAX_DEPTH", "deep"),
            ("KABAR_SERVER_GRAPHIQL", "maybe"),
            ("KABAR_SESSIONS_ACCESS_TOKEN_SECONDS", "901"),
            ("KABAR_DATABASE_URL", "mysql://x"),
            ("KABAR_MODE", "staging"),
            ("KABAR_SANDBOX_URL", "http://x"),
            ("KABAR_SMTP_URL", "http://x"),
            ("KABAR_SMTP_URL", "smtp://127.0.0.1"),
            ("KABAR_MAIL_FROM", "nobody"),
            ("KABAR_FETCHING_ALLOWED_NETWORKS", "10.0.0.0/8, intranet"),
            ("KABAR_FETCHING_CA_FILE", "/nonexistent/ca.pem"),
            ("KABAR_FETCHING_TIMEOUT_MS", "0"),
            ("KABAR_SENDING_WINDOW", "-1"),
            ("KABAR_TELEMETRY_OTLP_ENDPOINT", "collector:4318"),
            ("KABAR_TELEMETRY_OTLP_ENDPOINT", "https://user:password@collector"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
            ("KABAR_TELEMETRY_SAMPLE_RATIO", "1.5"),
            ("KABAR_TELEMETRY_SAMPLE_RATIO", "some"),
            ("KABAR_TELEMETRY_HEADERS", "authorization"),
            ("KABAR_TELEMETRY_CA_FILE", "nowhere.pem"),
            ("KABAR_TELEMETRY_CA_FILE", "Cargo.toml"),
        ] {
            let error = Config::load(&with_variables(&[(name, value)]))
                .expect_err(name)
                .to_string();
            assert!(
                error.contains(name) || name == "KABAR_SENDING_WINDOW",
                "{name}: {error}"
            );
        }
    }

    #[test]
    fn standard_variables_stand_behind_our_own() {
        let endpoint = |variables: &[(&str, &str)]| {
            let config = Config::load(&with_variables(variables)).expect("valid");
            config.telemetry.endpoint
        };
        let standard = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let own = ("KABAR_TELEMETRY_OTLP_ENDPOINT", "https://traces.example/otlp/");
        assert_eq!(endpoint(&[]), None);
        assert_eq!(
            endpoint(&[standard]).as_deref(),
            Some("http://collector:4318/v1/traces")
        );
        assert_eq!(
            endpoint(&[standard, own]).as_deref(),
            Some("https://traces.example/otlp/v1/traces")
        );
        assert_eq!(endpoint(&[standard, (own.0, "")]), None);
    }

    #[test]
    fn whole_numbers_are_read_where_numbers_are_wanted() {
        let (sources, _file) = with_file("[telemetry]\nsample_ratio = 0\n");
        let config = Config::load(&sources).expect("valid");
        assert!(config.telemetry.sample_ratio < f64::EPSILON);
    }

    #[test]
    fn production_refuses_secrets_that_are_short_or_stand_in_examples() {
        let strong = ("KABAR_SECRET_KEY", "9F3kq0vX7mB2tR8wYzL5cN1pD6hJ4sGa");
        let load = |further: &[(&str, &str)]| Config::load(&with_variables_only(further));
        for (name, value) in [
            ("KABAR_SECRET_KEY", "changeme-changeme-changeme-changeme"),
            ("KABAR_OPERATOR_PASSWORD", "short"),
            ("KABAR_OPERATOR_PASSWORD", "changeme-changeme"),
            ("KABAR_SERVER_METRICS_TOKEN", "metrics"),
        ] {
            // Later variables of the same name win.
            for mode in [("KABAR_MODE", "production"), ("KABAR_PUBLIC_URL", "https://kabar.test")] {
                let error = load(&[mode, strong, (name, value)]).expect_err(name).to_string();
                assert!(error.contains(name), "{name}: {error}");
            }
            load(&[("KABAR_MODE", "development"), strong, (name, value)]).expect("development forgives");
        }
        let good = [strong, ("KABAR_OPERATOR_PASSWORD", "rusty bicycle over the harbour")];
        let config = load(&[good[0], good[1], ("KABAR_PUBLIC_URL", "https://kabar.test")]).expect("strong enough");
        assert_eq!(config.mode, crate::config::Mode::Production);
        let message = load(&[("KABAR_MODE", "production")]).expect_err("no key").to_string();
        assert!(message.contains("KABAR_SECRET_KEY"), "{message}");
    }

    fn with_variables_only(variables: &[(&str, &str)]) -> Sources {
        Sources {
            settings: Vec::new(),
            ..with_variables(variables)
        }
    }

    #[test]
    fn unknown_keys_are_named_with_a_suggestion() {
        let (sources, _file) = with_file("[server]\nlisten_on = \"x\"\n");
        let error = Config::load(&sources).expect_err("unknown key");
        let text = error.to_string();
        assert!(
            text.contains("unknown setting `server.listen_on`") && text.contains("`server.listen`"),
            "{text}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_names_key_and_file() {
        let (sources, _file) = with_file("[graphql]\nmax_depth = \"many\"\n");
        let error = Config::load(&sources).expect_err("wrong type");
        assert!(error.to_string().contains("`graphql.max_depth` in"), "{error}");
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        let missing = Sources {
            file: Some("/nonexistent/kabar.toml".into()),
            ..with_variables(&[])
        };
        assert!(matches!(Config::load(&missing), Err(ConfigError::Unreadable { .. })));
    }
}
