//! An OpenTelemetry collector that keeps what it is given, as it came over the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post, serve::Listener};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::authority::Authority;

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
    scheme: &'static str,
    address: SocketAddr,
    received: watch::Receiver<Received>,
    task: JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Result<Self> {
        Self::listen("http", None).await
    }

    /// One behind TLS, whose certificate is signed by this authority.
    pub async fn start_secured(authority: &Authority) -> Result<Self> {
        Self::listen("https", Some(authority.acceptor("127.0.0.1")?)).await
    }

    async fn listen(scheme: &'static str, acceptor: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Received::default());
        let router = Router::new().route("/v1/traces", post(take)).with_state(sender);
        let task = tokio::spawn(async move {
            let served = match acceptor {
                Some(acceptor) => axum::serve(Secured { listener, acceptor }, router).await,
                None => axum::serve(listener, router).await,
            };
            if let Err(error) = served {
                eprintln!("the collector ended: {error}");
            }
        });
        Ok(Self {
            scheme,
            address,
            received,
            task,
        })
    }

    /// The base address, as it is configured.
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
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

/// A listener behind TLS. Who does not trust it is not heard.
struct Secured {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
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
