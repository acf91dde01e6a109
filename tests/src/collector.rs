//! An OpenTelemetry collector that keeps what it is given, as it came over the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A span, with its ids in hexadecimal and its values as texts.
#[derive(Clone, Debug)]
pub struct TracedSpan {
    pub name: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty when the span begins its trace.
    pub parent: String,
    pub is_error: bool,
    pub attributes: BTreeMap<String, String>,
    /// How many log lines came with it.
    pub events: usize,
    /// What the sender says of itself.
    pub resource: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
struct Received {
    bodies: Vec<Bytes>,
    headers: Vec<HeaderMap>,
}

/// Takes OTLP over HTTP (`http/protobuf`) at `/v1/traces`.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    received: watch::Receiver<Received>,
    task: JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Received::default());
        let router = Router::new().route("/v1/traces", post(take)).with_state(sender);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the collector ended: {error}");
            }
        });
        Ok(Self {
            address,
            received,
            task,
        })
    }

    /// The base address, as it is configured.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span so far.
    pub fn spans(&self) -> Result<Vec<TracedSpan>> {
        let mut spans = Vec::new();
        for body in &self.received.borrow().bodies {
            let request = ExportTraceServiceRequest::decode(body.clone())?;
            for group in request.resource_spans {
                let resource = attributes(&group.resource.map(|resource| resource.attributes).unwrap_or_default());
                for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    spans.push(TracedSpan {
                        name: span.name,
                        trace_id: hex(&span.trace_id),
                        span_id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                        is_error: span.status.is_some_and(|status| status.code == 2),
                        attributes: attributes(&span.attributes),
                        events: span.events.len(),
                        resource: resource.clone(),
                    });
                }
            }
        }
        Ok(spans)
    }

    /// Every byte so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.received.borrow().bodies.concat()
    }

    /// A header of the last delivery.
    pub fn header(&self, name: &str) -> Option<String> {
        let received = self.received.borrow();
        let value = received.headers.last()?.get(name)?;
        value.to_str().ok().map(str::to_owned)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(sender): State<watch::Sender<Received>>, headers: HeaderMap, body: Bytes) {
    sender.send_modify(|received| {
        received.bodies.push(body);
        received.headers.push(headers);
    });
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.as_ref().map_or_else(String::new, text)))
        .collect()
}

fn text(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
