//! Every span that a collector may see, and what it says.
//!
//! | Span | Made in | Says |
//! |---|---|---|
//! | `POST /graphql` and so on | `http/access.rs` | method, route, status |
//! | `graphql.query`, `graphql.mutation` | `http/graphql.rs`, `http/socket.rs` | the operation's name, the first error's code |
//! | `message.send` | `messages/sender.rs` | tenant, device, message, attempt, what went wrong |
//! | `message.receive` | `messages/inbox.rs` | tenant, how many messages |
//!
//! Names are the domain's and what it does to one of its things. While traces are off all of them are disabled, and making
//! one costs as much as asking that.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, OnceLock, PoisonError},
};

use entity::{DeviceId, MessageId, TenantId};
use http::{HeaderMap, StatusCode};
use lru::LruCache;
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceId},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Marks the spans of this file; `logging` keeps it out of the log.
pub const TARGET: &str = "otel";

/// Names of operations are the client's: more of one is not kept.
const LONGEST_NAME: usize = 80;
/// The traces of so many messages are known until they are sent; others begin one of their own.
const MOST_ORIGINS: NonZeroUsize = NonZeroUsize::new(8_192).expect("it is not zero");

/// By which request each message was accepted, of late. There is one subscriber in a process, so there is one of these.
static ORIGINS: OnceLock<Mutex<LruCache<MessageId, SpanContext>>> = OnceLock::new();

/// Spans are made from now on.
pub(super) fn begin() {
    ORIGINS.get_or_init(|| Mutex::new(LruCache::new(MOST_ORIGINS)));
}

/// An HTTP request, in the trace that its `traceparent` header names (W3C Trace Context).
pub fn request(method: &str, route: &str, headers: &HeaderMap) -> Span {
    let span = info_span!(
        target: TARGET,
        "http.request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        continue_in(&span, parent);
    }
    span
}

/// The trace that a span belongs to, when it is part of one.
pub fn trace_id(span: &Span) -> Option<TraceId> {
    context_of(span).map(|context| context.trace_id())
}

/// What a request came to.
pub fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// A query or a mutation: never its document, its variables or its answer.
pub fn operation(kind: &str, name: impl FnOnce() -> Option<String>) -> Span {
    let span = info_span!(
        target: TARGET,
        "graphql.operation",
        otel.name = format!("graphql.{kind}"),
        otel.status_code = Empty,
        graphql.operation.type = kind,
        graphql.operation.name = Empty,
        error.type = Empty,
    );
    if !span.is_disabled()
        && let Some(name) = name()
    {
        let name: String = name.chars().take(LONGEST_NAME).collect();
        span.record("graphql.operation.name", name);
    }
    span
}

/// A message of a device that is handed to WhatsApp, in the trace of the request that it was accepted by.
pub fn message_send(tenant: TenantId, device: DeviceId, message: MessageId, attempt: i32) -> Span {
    let span = info_span!(
        target: TARGET,
        parent: None,
        "message.send",
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.system = "whatsapp",
        messaging.operation.type = "send",
        kabar.tenant.id = %tenant,
        kabar.device.id = %device,
        kabar.message.id = %message,
        kabar.message.attempt = attempt,
        error.type = Empty,
    );
    if !span.is_disabled()
        && let Some(origins) = ORIGINS.get()
    {
        let origin = origins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&message)
            .cloned();
        if let Some(origin) = origin {
            continue_in(&span, Context::new().with_remote_span_context(origin));
        }
    }
    span
}

/// A message was accepted in the current span: its sending belongs to the same trace. It is remembered on this node, for
/// as long as few enough are accepted after it.
pub fn message_accepted(message: MessageId) {
    if let Some(origins) = ORIGINS.get()
        && let Some(origin) = context_of(&Span::current())
    {
        let mut origins = origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.put(message, origin);
    }
}

/// Messages that came in for a tenant and are stored together.
pub fn message_receive(tenant: TenantId, count: usize) -> Span {
    info_span!(
        target: TARGET,
        parent: None,
        "message.receive",
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = "whatsapp",
        messaging.operation.type = "receive",
        messaging.batch.message_count = count as u64,
        kabar.tenant.id = %tenant,
        error.type = Empty,
    )
}

/// What a span stands for did not work. The kind is a name from the code.
pub fn failed(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}

/// A GraphQL answer had an error. Only a fault of the server makes the span one: the rest are answers, too.
pub fn refused(span: &Span, code: &str) {
    if code == "INTERNAL" {
        failed(span, code);
    } else {
        span.record("error.type", code);
    }
}

fn continue_in(span: &Span, parent: Context) {
    // It fails for a span that has begun, and none of these has.
    if span.set_parent(parent).is_err() {
        tracing::debug!("a span does not continue its trace");
    }
}

fn context_of(span: &Span) -> Option<SpanContext> {
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}
