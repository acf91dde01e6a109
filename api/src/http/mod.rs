//! The server's outer wall: everything that arrives by HTTP.
//!
//! Owns routes, headers, cookies, websockets and files. Decides nothing about tenants, devices or messages: it finds out
//! who calls, hands the request to GraphQL or to a service, and writes the answer down.
//!
//! | Path | File |
//! |---|---|
//! | `POST /graphql` | `graphql` (`negotiation`, `admission`, `persisted`, `response`) |
//! | `GET /graphql`, `/graphql/ws` | `websocket`, `socket` |
//! | `/graphiql` | `graphiql` |
//! | `/devices/{id}/qr…` | `qr` |
//! | `/exports/…` | `exports` |
//! | `/health`, `/ping` | `health` |
//! | `/metrics` | `metrics` |
//! | everything else | `console` |

mod access;
mod admission;
mod caller;
mod console;
mod cookies;
mod cors;
mod exports;
mod graphiql;
mod graphql;
mod health;
mod metrics;
mod negotiation;
mod persisted;
mod qr;
mod response;
mod router;
mod security;
mod socket;
mod toll;
mod websocket;

pub use exports::ExportSlots;
pub use health::{Probe, Probes};
pub use persisted::Persisted;
pub use router::router;

use std::sync::Arc;

use async_graphql::{
    ObjectType, Request, Response, SubscriptionType, Value,
    parser::types::{DocumentOperations, OperationType},
};
use futures::{future::BoxFuture, stream::BoxStream};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    clock::Clock,
    config::Config,
    devices::Devices,
    platform::Platform,
    rates::{RateSettings, Windows},
    store::Store,
    telemetry::spans,
    tenants::Accounts,
};

/// Runs GraphQL: the merged schema, without its type, so that what is here need not be compiled anew with every field.
pub trait Executor: Send + Sync {
    /// Runs a query or a mutation.
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
    /// Runs anything; a subscription answers many times.
    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<Q, M, S> Executor for async_graphql::Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async_graphql::Schema::execute(self, request))
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        async_graphql::Schema::execute_stream(self, request)
    }
}

impl Services {
    /// Runs a query or a mutation, in a span of its own.
    fn run(&self, mut request: Request, kind: OperationType) -> impl Future<Output = Response> + Send + use<> {
        let span = spans::operation(&kind.to_string(), || operation_name(&mut request));
        let executor = Arc::clone(&self.executor);
        async move {
            let response = executor.execute(request).instrument(span.clone()).await;
            if let Some(code) = first_code(&response) {
                spans::refused(&span, code);
            }
            response
        }
    }
}

/// How the client calls the operation, in a document that was parsed already.
fn operation_name(request: &mut Request) -> Option<String> {
    if let Some(name) = &request.operation_name {
        return Some(name.clone());
    }
    match &request.parsed_query().ok()?.operations {
        DocumentOperations::Single(_) => None,
        DocumentOperations::Multiple(operations) => operations.keys().next().map(ToString::to_string),
    }
}

fn first_code(response: &Response) -> Option<&str> {
    match response.errors.first()?.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// What the routes work with.
pub struct Services {
    /// The configuration.
    pub config: Arc<Config>,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// Who calls.
    pub accounts: Accounts,
    /// The operator's side.
    pub platform: Platform,
    /// How many in how short a time.
    pub rates: RateSettings,
    /// How many it were.
    pub windows: Windows,
    /// Codes to scan.
    pub devices: Devices,
    /// Documents that clients name by their hash.
    pub persisted: Persisted,
    /// How many files are made for callers at once.
    pub exports: ExportSlots,
    /// The merged schema.
    pub executor: Arc<dyn Executor>,
    /// What `/health/ready` asks.
    pub probes: Probes,
    /// Cancelled when the server stops: websockets end.
    pub stopping: CancellationToken,
}

/// Services as routes get them.
type Shared = Arc<Services>;
