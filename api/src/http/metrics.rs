//! `/metrics`, for Prometheus.

use std::sync::OnceLock;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics_prometheus::Recorder;
use prometheus::{Histogram, HistogramOpts, HistogramVec, Registry, TEXT_FORMAT, TextEncoder};
use subtle::ConstantTimeEq;

use super::{
    Shared,
    caller::{self, Place},
};

/// From a hundred microseconds to a minute.
const SECONDS: [f64; 14] = [
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0,
];

/// What a GraphQL operation may cost; see the limits of the configuration.
const COSTS: [f64; 8] = [1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 5_000.0];

/// One registry per process, whichever server of it starts first.
static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// Starts collecting.
pub fn install() {
    REGISTRY.get_or_init(|| {
        let registry = Registry::new();
        if let Err(error) = record_into(&registry) {
            tracing::warn!(%error, "metrics are not collected");
        }
        metrics::gauge!("kabar_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        registry
    });
}

/// Makes the registry what the macros of this process write to. Histograms are told their buckets here; everything else
/// comes to be when it is first counted.
fn record_into(registry: &Registry) -> Result<(), Box<dyn std::error::Error>> {
    let seconds = HistogramOpts::new(
        "kabar_http_request_seconds",
        "How long requests took to answer, in seconds.",
    );
    let cost = HistogramOpts::new("kabar_graphql_cost", "The complexity of GraphQL operations.");
    Recorder::builder()
        .with_registry(registry.clone())
        .try_with_metric(HistogramVec::new(
            seconds.buckets(SECONDS.to_vec()),
            &["method", "route"],
        )?)?
        .try_with_metric(Histogram::with_opts(cost.buckets(COSTS.to_vec()))?)?
        .try_build_and_install()
        .map(drop)
        .map_err(Into::into)
}

/// Writes what was collected, for this machine or for whoever knows the token.
pub async fn show(State(services): State<Shared>, request: Request) -> Response {
    let place = Place::of(request.extensions(), request.headers(), &services.config);
    let token = caller::bearer(request.headers()).unwrap_or_default();
    let known = match &services.config.server.metrics_token {
        Some(expected) => bool::from(expected.expose().as_bytes().ct_eq(token.as_bytes())),
        None => place.is_local,
    };
    if !known {
        return (
            StatusCode::FORBIDDEN,
            "Metrics are shown to this machine only, or with the metrics token.\n",
        )
            .into_response();
    }
    let Some(registry) = REGISTRY.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
