//! `/metrics`, for Prometheus.

use std::sync::OnceLock;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use subtle::ConstantTimeEq;

use super::{
    Shared,
    caller::{self, Place},
};

/// From a hundred microseconds to a minute.
const SECONDS: [f64; 14] = [
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0,
];

/// One recorder per process, whichever server of it starts first.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts collecting.
pub fn install() {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics are collected by somebody else in this process");
        }
        metrics::gauge!("kabar_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    });
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
    let Some(handle) = RECORDER.get() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    handle.run_upkeep();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        handle.render(),
    )
        .into_response()
}
