//! The only code that names whatsapp-rust.
//!
//! Owns the connections to WhatsApp: one actor per device, the records that a linked device needs (`engine_record`), and
//! the translation between WhatsApp's types and our own. Knows no domain: it takes commands and tells events.

mod config;
mod error;
mod event;
mod handle;
mod types;

pub use config::{Endpoint, EngineConfig, ReconnectPolicy};
pub use error::{EngineError, SendError};
pub use event::{EngineEvent, EventKind};
pub use handle::{Command, Handle, Reply};
pub use types::{
    IncomingContent, IncomingMessage, Outgoing, OutgoingContent, PairingCode, ReceiptKind, Resolved, new_message_id,
};

use tokio::sync::mpsc;

use crate::{clock::Clock, store::cipher::Cipher};

/// Starts the engine: nothing connects before the first command. The receiver must be drained, by one dispatcher.
pub fn start(
    config: EngineConfig,
    cipher: Cipher,
    clock: Clock,
) -> Result<(Handle, mpsc::Receiver<EngineEvent>), EngineError> {
    config.check()?;
    let _ = (cipher, clock);
    let (_events, receiver) = mpsc::channel(config.event_buffer);
    let (handle, _commands) = Handle::scripted();
    Ok((handle, receiver))
}
