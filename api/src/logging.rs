//! Where log lines go and how they look. Nothing is ever logged that a person wrote, or that opens a door.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// Somebody else who wants to know of spans, with a filter of its own.
pub type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to the standard error, and tells `spans` of spans. A process that logs already goes on as it does.
pub fn start(config: &Log, spans: Option<SpanLayer>) {
    let terminal = std::io::stderr().is_terminal();
    let json = config.format == LogFormat::Json || (config.format == LogFormat::Auto && !terminal);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: SpanLayer = if json {
        let lines = lines.json().flatten_event(true);
        lines.with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(terminal).with_target(false).boxed()
    };
    let layers: Vec<SpanLayer> = match spans {
        // The log's filter is everybody's: what is not logged is not even made.
        None => vec![filter(config).boxed(), lines],
        Some(spans) => vec![lines.with_filter(filter(config)).boxed(), spans],
    };
    if tracing_subscriber::registry().with(layers).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}

/// What is logged. Spans for a collector are not, whatever the configured level says of others.
fn filter(config: &Log) -> EnvFilter {
    // The level was checked with the configuration.
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    match "otel=off".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::spans;

    #[test]
    fn spans_for_a_collector_are_disabled_without_one_whatever_is_logged() {
        let config = Log {
            format: LogFormat::Json,
            level: "trace".to_owned(),
        };
        let subscriber = tracing_subscriber::registry().with(filter(&config));
        tracing::subscriber::with_default(subscriber, || {
            assert!(!tracing::info_span!("another").is_disabled());
            assert!(spans::request("GET", "/ping", &http::HeaderMap::new()).is_disabled());
            assert!(spans::operation("query", || Some("never asked".to_owned())).is_disabled());
        });
    }
}
