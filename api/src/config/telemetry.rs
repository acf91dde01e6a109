//! Checks where traces go.

use super::{
    ConfigError, Telemetry,
    layers::Origins,
    parse::{authorities, optional},
    raw::RawTelemetry,
};
use crate::secret::Secret;

pub(super) fn parse(raw: RawTelemetry, origins: &Origins) -> Result<Telemetry, ConfigError> {
    let endpoint = optional(raw.otlp_endpoint).map(|url| traces_url(&url, origins));
    let headers = raw.headers.iter().map(|text| header(text, origins));
    if !(0.0..=1.0).contains(&raw.sample_ratio) {
        return Err(origins.invalid("telemetry.sample_ratio", "write a number from 0 to 1, such as 0.1"));
    }
    if raw.service_name.is_empty() {
        return Err(origins.invalid("telemetry.service_name", "write a name"));
    }
    Ok(Telemetry {
        endpoint: endpoint.transpose()?,
        authorities: authorities(raw.ca_file, "telemetry.ca_file", origins)?,
        headers: headers.collect::<Result<_, _>>()?,
        service_name: raw.service_name,
        sample_ratio: raw.sample_ratio,
    })
}

/// The standard names the collector's base address; traces have a path of their own below it.
fn traces_url(text: &str, origins: &Origins) -> Result<String, ConfigError> {
    let key = "telemetry.otlp_endpoint";
    let is_http = |url: &http::Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    let Some(url) = text.parse().ok().filter(is_http) else {
        return Err(origins.invalid(key, "write an address such as http://127.0.0.1:4318"));
    };
    let has_user = url
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    if has_user || url.query().is_some() || text.contains('#') {
        let message = "it has a user, a query or a mark; what a collector wants to know goes into telemetry.headers";
        return Err(origins.invalid(key, message));
    }
    let base = text.trim_end_matches('/');
    Ok(if base.ends_with("/v1/traces") {
        base.to_owned()
    } else {
        format!("{base}/v1/traces")
    })
}

fn header(text: &str, origins: &Origins) -> Result<(String, Secret), ConfigError> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let is_valid = http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
    if !is_valid {
        // The text is not shown: its value is a secret.
        return Err(origins.invalid("telemetry.headers", "write each as name=value"));
    }
    Ok((name.to_owned(), Secret::new(value)))
}
