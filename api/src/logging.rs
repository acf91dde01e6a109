//! Where log lines go and how they look. Nothing is ever logged that a person wrote, or that opens a door.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging to the standard error. A process that logs already goes on as it does.
pub fn start(config: &Log) {
    // The level was checked with the configuration.
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let json = config.format == LogFormat::Json || (config.format == LogFormat::Auto && !terminal);
    let result = if json {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    } else {
        builder.with_ansi(terminal).with_target(false).try_init()
    };
    if result.is_err() {
        tracing::debug!("logging was started before");
    }
}
