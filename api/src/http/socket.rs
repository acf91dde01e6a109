//! One websocket's life: `connection_init`, operations side by side, pings, the end.
//!
//! **Invariant:** nothing is run before `connection_init` was accepted, and nothing goes on when the token has expired or
//! its session has ended: the socket closes with 4403, which tells clients to come back with a fresh token.
//!
//! One task serves a socket. While a message is being written no operation is asked for its next value, so a slow reader
//! slows its own subscriptions down, and nobody else.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use async_graphql::{Request, Response, parser::types::OperationType};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::{
    StreamExt,
    stream::{self, AbortHandle, BoxStream, SelectAll, SplitSink},
};
use serde_json::{Value, json};

use super::{
    Services, Shared, admission, caller,
    response::Envelope,
    toll::{self, Paid},
};
use crate::{
    graphql::context::Transport,
    secret::Secret,
    tenants::{AuthenticationError, Principal},
};

mod protocol;

use protocol::{ClientMessage, Close};

/// A reader that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// How often a session or token is looked at again: its end on another node ends its sockets. An end on this node is told.
const RECHECK: Duration = Duration::from_millis(400);

/// What was known when the socket opened.
pub struct Opening {
    /// The transport's side.
    pub transport: Arc<Transport>,
    /// The session's cookie, when the page is ours.
    pub cookie: Option<Secret>,
}

/// What an operation has to say.
enum Saying {
    Value(Box<Response>),
    End,
}

struct Session {
    services: Shared,
    sink: SplitSink<WebSocket, Message>,
    opening: Opening,
    principal: Option<Principal>,
    values: SelectAll<BoxStream<'static, (String, Saying)>>,
    running: HashMap<String, AbortHandle>,
    /// What queries and mutations have paid, until they answer.
    paid: HashMap<String, Paid>,
}

/// Serves a socket until it ends.
pub async fn serve(services: Shared, socket: WebSocket, opening: Opening) {
    let gauge = metrics::gauge!("kabar_websockets");
    gauge.increment(1.0);
    let (sink, incoming) = socket.split();
    let mut session = Session {
        services,
        sink,
        opening,
        principal: None,
        values: SelectAll::new(),
        running: HashMap::new(),
        paid: HashMap::new(),
    };
    if let Err(Close(code, reason)) = session.run(incoming).await {
        let frame = CloseFrame {
            code,
            reason: reason.into_owned().into(),
        };
        // The other side may be gone already.
        let _ = session.write(Message::Close(Some(frame))).await;
    }
    gauge.decrement(1.0);
}

impl Session {
    /// Ends well when the client closes, and with a reason when we do.
    async fn run(&mut self, incoming: stream::SplitStream<WebSocket>) -> Result<(), Close> {
        let limits = self.services.config.graphql;
        let stopping = self.services.stopping.clone();
        let mut incoming = incoming;
        let mut init_deadline = pin!(tokio::time::sleep(limits.socket_init));
        let mut ping = tokio::time::interval(limits.socket_ping);
        let mut recheck = tokio::time::interval(RECHECK);
        ping.reset();
        recheck.reset();
        let mut changes = self.services.accounts.authenticator().changes();
        let mut heard = true;
        loop {
            tokio::select! {
                message = incoming.next() => {
                    heard = true;
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(text.as_str()).await?,
                        Some(Ok(Message::Binary(_))) => return Err(Close::BAD_MESSAGE),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                    }
                }
                Some((id, saying)) = self.values.next() => self.say(id, saying).await?,
                () = &mut init_deadline, if self.principal.is_none() => return Err(Close::INIT_TIMEOUT),
                _ = ping.tick() => {
                    if !heard {
                        return Err(Close::SILENT);
                    }
                    heard = false;
                    self.write(Message::Ping(bytes::Bytes::new())).await?;
                }
                _ = recheck.tick(), if self.principal.is_some() => self.recheck().await?,
                Ok(()) = changes.changed(), if self.principal.is_some() => self.recheck().await?,
                () = stopping.cancelled() => return Err(Close::STOPPING),
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<(), Close> {
        match ClientMessage::read(text)? {
            ClientMessage::ConnectionInit { .. } if self.principal.is_some() => Err(Close::INIT_TWICE),
            ClientMessage::ConnectionInit { payload } => {
                self.principal = Some(authenticate(&self.services, &self.opening, payload.as_ref()).await?);
                self.write_json(&json!({"type": "connection_ack"})).await
            }
            ClientMessage::Ping { payload } => {
                let mut pong = json!({"type": "pong"});
                if let Some(payload) = payload {
                    pong["payload"] = payload;
                }
                self.write_json(&pong).await
            }
            ClientMessage::Pong { .. } => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.begin(id, *payload).await,
            ClientMessage::Complete { id } => {
                self.paid.remove(&id);
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    /// Whether the caller may still be here.
    async fn recheck(&mut self) -> Result<(), Close> {
        let Some(principal) = &self.principal else {
            return Ok(());
        };
        match self.services.accounts.authenticator().renewed(principal).await {
            Ok(Some(renewed)) => {
                self.principal = Some(renewed);
                Ok(())
            }
            // The database is away for a moment: what was believed goes on until the token expires.
            Err(error) if self.services.clock.now() < principal.expires_at() => {
                tracing::warn!(%error, "a websocket's session could not be looked at");
                Ok(())
            }
            Ok(None) | Err(_) => Err(Close::FORBIDDEN),
        }
    }

    async fn begin(&mut self, id: String, request: Request) -> Result<(), Close> {
        // What was revoked or suspended a moment ago counts for every operation. It is asked once a second, at most.
        self.recheck().await?;
        let Some(principal) = &self.principal else {
            return Err(Close::UNAUTHENTICATED);
        };
        if self.running.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        if self.running.len() >= self.services.config.graphql.max_operations_per_socket {
            let refused = Envelope::refused_with("TOO_MANY_OPERATIONS", "Too many operations run on this websocket.");
            return self.write_errors(&id, refused).await;
        }
        match admission::admit(&self.services, request, Some(principal), &self.opening.transport) {
            Err(refused) => self.write_errors(&id, Envelope::refused(refused)).await,
            Ok(ready) => {
                metrics::histogram!("kabar_graphql_cost").record(u32::try_from(ready.cost).unwrap_or(u32::MAX));
                match toll::charge_caller(&self.services, principal, ready.cost) {
                    Err(limited) => return self.write_errors(&id, Envelope::limited(&limited)).await,
                    // A subscription pays once, what one of its answers may cost.
                    Ok(_) if ready.kind == OperationType::Subscription => {}
                    Ok(paid) => {
                        self.paid.insert(id.clone(), paid);
                    }
                }
                let values = if ready.kind == OperationType::Subscription {
                    self.services.executor.execute_stream(ready.request)
                } else {
                    stream::once(self.services.run(ready.request, ready.kind)).boxed()
                };
                let (values, abort) = stream::abortable(values);
                let key = id.clone();
                let said = values
                    .map(|value| Saying::Value(Box::new(value)))
                    .chain(stream::once(async { Saying::End }));
                self.values.push(said.map(move |saying| (key.clone(), saying)).boxed());
                self.running.insert(id, abort);
                Ok(())
            }
        }
    }

    async fn say(&mut self, id: String, saying: Saying) -> Result<(), Close> {
        // What an operation still had to say when the client ended it is not said.
        if self.running.get(&id).is_none_or(AbortHandle::is_aborted) {
            return Ok(());
        }
        match saying {
            Saying::Value(response) => {
                let mut envelope = Envelope::of(*response);
                if let Some(paid) = self.paid.remove(&id) {
                    let cost = paid.settle(&self.services.windows, envelope.answered());
                    envelope = envelope.with_cost(&cost);
                }
                if envelope.is_refusal() {
                    if let Some(operation) = self.running.remove(&id) {
                        operation.abort();
                    }
                    return self.write_errors(&id, envelope).await;
                }
                self.write_json(&json!({"type": "next", "id": id, "payload": envelope}))
                    .await
            }
            Saying::End => {
                self.running.remove(&id);
                self.write_json(&json!({"type": "complete", "id": id})).await
            }
        }
    }

    async fn write_errors(&mut self, id: &str, envelope: Envelope) -> Result<(), Close> {
        self.write_json(&json!({"type": "error", "id": id, "payload": envelope.into_errors()}))
            .await
    }

    async fn write_json(&mut self, message: &Value) -> Result<(), Close> {
        self.write(Message::Text(message.to_string().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Close> {
        use futures::SinkExt;
        match tokio::time::timeout(WRITE_PATIENCE, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Close::SILENT),
        }
    }
}

/// By the token in the payload, else by the cookie.
async fn authenticate(services: &Services, opening: &Opening, payload: Option<&Value>) -> Result<Principal, Close> {
    let authenticator = services.accounts.authenticator();
    let origin = &opening.transport.origin;
    let field = |name| payload.and_then(|payload| payload.get(name)).and_then(Value::as_str);
    let result = match (
        field("authorization").or_else(|| field("Authorization")),
        &opening.cookie,
    ) {
        (Some(value), _) => {
            authenticator
                .authenticate(caller::bearer_text(value).unwrap_or_default(), origin)
                .await
        }
        (None, Some(cookie)) => authenticator.authenticate_cookie(cookie, origin).await,
        (None, None) => return Err(Close::UNAUTHENTICATED),
    };
    result.map_err(|error| match error {
        AuthenticationError::Refused => Close::FORBIDDEN,
        AuthenticationError::Database(error) => {
            tracing::error!(%error, "callers cannot be authenticated");
            Close::INTERNAL
        }
    })
}
