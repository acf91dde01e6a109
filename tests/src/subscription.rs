//! A subscriber: the `graphql-transport-ws` protocol over a websocket.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::wait::DEADLINE;

/// One subscription on a socket of its own.
#[derive(Debug)]
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Subscription {
    pub async fn open(base: &str, token: Option<&str>, document: &str, variables: Value) -> Result<Self> {
        let url = format!("{}/graphql", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (socket, _) = connect_async(request).await.context("the websocket was refused")?;
        let mut subscription = Self { socket };
        let payload = token.map_or_else(
            || json!({}),
            |token| json!({ "authorization": format!("Bearer {token}") }),
        );
        subscription
            .say(&json!({ "type": "connection_init", "payload": payload }))
            .await?;
        let answer = subscription.hear().await?;
        if answer["type"] != "connection_ack" {
            bail!("the server answered connection_init with {answer}");
        }
        let payload = json!({ "query": document, "variables": variables });
        subscription
            .say(&json!({ "id": "1", "type": "subscribe", "payload": payload }))
            .await?;
        Ok(subscription)
    }

    /// The next value's data. Fails at the end of the stream, on errors, and after the usual deadline.
    pub async fn next(&mut self) -> Result<Value> {
        tokio::time::timeout(DEADLINE, self.next_without_deadline())
            .await
            .with_context(|| format!("nothing came within {DEADLINE:?}"))?
    }

    /// Values until one that `wanted` picks something from.
    pub async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Value) -> Option<T>) -> Result<T> {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                let value = self.next_without_deadline().await?;
                if let Some(found) = wanted(&value) {
                    return anyhow::Ok(found);
                }
                seen.push(value);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => bail!("{what}: not seen within {DEADLINE:?}, but {}", Value::Array(seen)),
        }
    }

    /// A value when one comes in this time.
    pub async fn poll(&mut self, time: Duration) -> Result<Option<Value>> {
        match tokio::time::timeout(time, self.next_without_deadline()).await {
            Ok(value) => value.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Everything that has come until the server has answered a question that was asked now. Fails when the subscription
    /// was refused.
    pub async fn settled(&mut self) -> Result<Vec<Value>> {
        let payload = json!({ "query": "{ __typename }" });
        self.say(&json!({ "id": "mark", "type": "subscribe", "payload": payload }))
            .await?;
        let mut seen = Vec::new();
        let heard = tokio::time::timeout(DEADLINE, async {
            loop {
                let message = self.hear().await?;
                match message["type"].as_str() {
                    Some("complete") if message["id"] == "mark" => return anyhow::Ok(()),
                    Some("next" | "pong") if message["id"] != "1" => {}
                    Some("next") if message["payload"]["errors"].is_null() => {
                        seen.push(message["payload"]["data"].clone());
                    }
                    Some("ping") => self.say(&json!({ "type": "pong" })).await?,
                    _ => bail!("the subscription ended with {message}"),
                }
            }
        });
        heard
            .await
            .with_context(|| format!("no answer within {DEADLINE:?}"))??;
        Ok(seen)
    }

    async fn next_without_deadline(&mut self) -> Result<Value> {
        loop {
            let message = self.hear().await?;
            match message["type"].as_str() {
                Some("next") => {
                    if let Some(errors) = message["payload"]["errors"]
                        .as_array()
                        .filter(|errors| !errors.is_empty())
                    {
                        bail!("the subscription has errors: {}", Value::Array(errors.clone()));
                    }
                    return Ok(message["payload"]["data"].clone());
                }
                Some("ping") => self.say(&json!({ "type": "pong" })).await?,
                Some("pong") => {}
                _ => bail!("the subscription ended with {message}"),
            }
        }
    }

    async fn say(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    async fn hear(&mut self) -> Result<Value> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                Some(Ok(Message::Close(frame))) => bail!("the server closed the websocket: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(Error::ConnectionClosed)) | None => bail!("the websocket is closed"),
                Some(Err(error)) => return Err(error).context("the websocket broke"),
            }
        }
    }
}
