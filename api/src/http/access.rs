//! Every request gets an id, a line in the log, and its place in the metrics. A panic becomes an answer.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tracing::{Instrument, Span, field::Empty};

use crate::telemetry::spans;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps everything. Paths are logged as routes, without what stands in their query; bodies and headers never.
pub async fn watch(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("console", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, route, trace_id = Empty);
    let traced = if is_quiet(&route) {
        Span::none()
    } else {
        spans::request(known_method(&method), &route, request.headers())
    };
    if let Some(trace_id) = spans::trace_id(&traced) {
        span.record("trace_id", tracing::field::display(trace_id));
    }

    let result = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(traced.clone())
        .instrument(span.clone())
        .await;
    let mut response = result.unwrap_or_else(|panic| {
        span.in_scope(|| tracing::error!(panic = panic_text(panic.as_ref()), "a request panicked"));
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on the server. It has been logged.\n",
        )
            .into_response()
    });

    let status = response.status();
    spans::answered(&traced, status);
    let elapsed = began.elapsed();
    span.in_scope(|| {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        if status.is_server_error() {
            tracing::error!(status = status.as_u16(), micros, "answered");
        } else if is_quiet(&route) {
            tracing::trace!(status = status.as_u16(), micros, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), micros, "answered");
        }
    });
    let labels = [
        ("method", known_method(&method).to_owned()),
        ("route", route),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("kabar_http_requests_total", &labels).increment(1);
    metrics::histogram!("kabar_http_request_seconds", &labels[..2]).record(elapsed.as_secs_f64());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The caller's own id when it is a sane one, so that a request can be followed through a proxy's log.
fn request_id(request: &Request) -> HeaderValue {
    let is_sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (8..=64).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    request
        .headers()
        .get(REQUEST_ID)
        .filter(is_sane)
        .cloned()
        .unwrap_or_else(|| {
            let id = crate::clock::new_id::<uuid::Uuid>().simple().to_string();
            HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
        })
}

/// A client may invent methods; a metric's labels must be few.
fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET | Method::POST | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE => method.as_str(),
        _ => "OTHER",
    }
}

/// Asked for every few seconds by machines.
fn is_quiet(route: &str) -> bool {
    route.starts_with("/health") || matches!(route, "/ping" | "/metrics")
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
