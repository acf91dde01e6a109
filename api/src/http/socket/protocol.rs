//! The messages of `graphql-transport-ws`, and the codes that sockets close with.

use std::borrow::Cow;

use async_graphql::Request;
use serde::Deserialize;
use serde_json::Value;

/// Why a socket is closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Close(pub u16, pub Cow<'static, str>);

impl Close {
    pub const BAD_MESSAGE: Self = Self(4400, Cow::Borrowed("Invalid message"));
    /// Nobody said who calls. Coming back without a token is no use.
    pub const UNAUTHENTICATED: Self = Self(4401, Cow::Borrowed("Unauthorized"));
    /// The token is no good any more: come back with a fresh one.
    pub const FORBIDDEN: Self = Self(4403, Cow::Borrowed("Forbidden"));
    pub const INIT_TIMEOUT: Self = Self(4408, Cow::Borrowed("Connection initialisation timeout"));
    pub const INIT_TWICE: Self = Self(4429, Cow::Borrowed("Too many initialisation requests"));
    pub const INTERNAL: Self = Self(4500, Cow::Borrowed("Internal server error"));
    pub const SILENT: Self = Self(1001, Cow::Borrowed("The client does not answer"));
    pub const STOPPING: Self = Self(1012, Cow::Borrowed("The server is restarting"));

    /// An operation with this id runs already.
    pub fn duplicate(id: &str) -> Self {
        // A close frame holds 123 bytes.
        let id: String = id.chars().take(20).collect();
        Self(4409, format!("Subscriber for {id} already exists").into())
    }
}

/// What clients say.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong {
        #[serde(default, rename = "payload")]
        _payload: Option<Value>,
    },
    Subscribe {
        id: String,
        payload: Box<Request>,
    },
    Complete {
        id: String,
    },
}

impl ClientMessage {
    /// Reads a message; the protocol closes the socket for anything else.
    pub fn read(text: &str) -> Result<Self, Close> {
        let message = serde_json::from_str(text).map_err(|_| Close::BAD_MESSAGE)?;
        match &message {
            Self::Subscribe { id, .. } if id.is_empty() || id.len() > 128 => Err(Close::BAD_MESSAGE),
            Self::ConnectionInit { payload: Some(payload) } if !payload.is_object() && !payload.is_null() => {
                Err(Close::BAD_MESSAGE)
            }
            _ => Ok(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_and_others_are_refused() {
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":{"authorization":"Bearer x"}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"pong","payload":null}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            assert!(ClientMessage::read(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "{}",
            r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"connection_init","payload":7}"#,
        ] {
            assert_eq!(ClientMessage::read(text).err(), Some(Close::BAD_MESSAGE), "{text}");
        }
    }
}
