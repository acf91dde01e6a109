//! Traces for an OpenTelemetry collector: off unless `telemetry.otlp_endpoint` is set.
//!
//! Owns what a span may say ([`spans`]), and the way out: a bounded queue (`queue`) and the client that talks OTLP over
//! HTTP (`collector`). Knows no domain.
//!
//! **Invariant:** no attribute holds what a person wrote, a phone number, an address or a secret: only names from the code
//! and from the schema's documents, numbers, and ids of our own.
//!
//! **Invariant:** nothing waits for a collector. Spans that find the queue full, or a collector that does not answer, are
//! dropped and counted in `kabar_telemetry_spans_total`.

mod collector;
mod queue;
pub mod spans;

use std::{collections::HashMap, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
};

use crate::{clock::new_id, config, logging::SpanLayer};

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a stopping server tries to deliver what is left.
const LAST_FLUSH: Duration = Duration::from_secs(3);
/// Spans that wait for delivery; further ones are dropped.
const MOST_WAITING: usize = 4_096;
/// Spans of one delivery.
const MOST_AT_ONCE: usize = 512;

/// Why traces can't be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter refuses the configuration, or one of its standard variables (OTEL_EXPORTER_OTLP_…).
    #[error("traces can't be sent as configured: {0}")]
    Exporter(String),
    /// The authorities of the collector's own are unusable.
    #[error("telemetry.ca_file holds a certificate that can't be used: {0}")]
    Authorities(String),
}

/// Traces on their way to a collector.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Prepares sending; `None` when no collector is configured. Nothing is recorded before the layer is part of the
    /// log's subscriber.
    pub fn prepare(config: &config::Telemetry) -> Result<Option<Self>, TelemetryError> {
        let Some(endpoint) = &config.endpoint else {
            return Ok(None);
        };
        let headers: HashMap<String, String> = config
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect();
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .with_headers(headers)
            .with_http_client(collector::Client::new(PATIENCE, config.authorities.as_deref())?)
            .build()
            .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
        let waiting = queue::Waiting::new(MOST_WAITING);
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_max_export_batch_size(MOST_AT_ONCE)
            .build();
        let processor = BatchSpanProcessor::new(queue::Counted::new(exporter, waiting.clone()), batches);
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", new_id::<uuid::Uuid>().to_string()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            // Who calls with a trace of their own has decided already.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                config.sample_ratio,
            ))))
            .with_resource(resource)
            .with_span_processor(queue::Bounded::new(processor, waiting))
            .build();
        Ok(Some(Self { provider }))
    }

    /// What turns spans of this server into spans for the collector. Log lines and spans of libraries are left out: they
    /// may hold what must not leave the machine.
    pub fn layer(&self) -> SpanLayer {
        spans::begin();
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("kabar"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(spans::TARGET, LevelFilter::INFO))
            .boxed()
    }

    /// Delivers what is left, for some seconds at most. Spans that end later are lost.
    pub async fn stop(self) {
        // The queue's own thread delivers, and is waited for.
        let stopped = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_FLUSH)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces were not all delivered");
        }
    }
}
