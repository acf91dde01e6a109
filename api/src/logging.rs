//! Where log lines go and how they look. Nothing is ever logged that a person wrote, or that opens a door.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};

/// Somebody else who wants to know of spans, with a filter of its own.
pub type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to the standard error, and tells `spans` of spans. A process that logs already goes on as it does.
pub fn start(config: &Log, spans: Option<SpanLayer>) {
    let terminal = std::io::stderr().is_terminal();
    let lines = lines(config, terminal, std::io::stderr);
    let layers: Vec<SpanLayer> = std::iter::once(lines).chain(spans).collect();
    if tracing_subscriber::registry().with(layers).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}

/// The log itself. **Invariant:** it carries its filter with it: a filter that stands beside it in a list of layers holds
/// nothing back.
fn lines<W>(config: &Log, terminal: bool, writer: W) -> SpanLayer
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let json = config.format == LogFormat::Json || (config.format == LogFormat::Auto && !terminal);
    let lines = fmt::layer().with_writer(writer);
    if json {
        let lines = lines.json().flatten_event(true);
        let lines = lines.with_current_span(true).with_span_list(false);
        lines.with_filter(filter(config)).boxed()
    } else {
        let lines = lines.with_ansi(terminal).with_target(false);
        lines.with_filter(filter(config)).boxed()
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
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::telemetry::spans;

    /// What is written while `body` runs, with these layers and no others.
    fn written(level: &str, format: LogFormat, body: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Memory(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Memory {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (memory, level) = (Memory::default(), level.to_owned());
        let writer = memory.clone();
        let lines = lines(&Log { format, level }, false, move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(vec![lines]);
        tracing::subscriber::with_default(subscriber, body);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_what_the_level_asks_for_is_logged() {
        for format in [LogFormat::Json, LogFormat::Human] {
            let log = written("warn,kabar_more=info", format, || {
                tracing::warn!("a warning");
                tracing::info!("news");
                tracing::trace!("a detail");
                tracing::info!(target: "kabar_more", "more");
                assert!(tracing::info_span!("another").is_disabled());
            });
            assert!(log.contains("a warning") && log.contains("more"), "{log}");
            assert!(!log.contains("news") && !log.contains("a detail"), "{log}");
        }
    }

    #[test]
    fn spans_for_a_collector_are_disabled_without_one_whatever_is_logged() {
        written("trace", LogFormat::Json, || {
            assert!(!tracing::info_span!("another").is_disabled());
            assert!(spans::request("GET", "/ping", &http::HeaderMap::new()).is_disabled());
            assert!(spans::operation("query", || Some("never asked".to_owned())).is_disabled());
        });
    }
}
