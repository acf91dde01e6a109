//! The only code that names whatsapp-rust.
//!
//! Owns the connections to WhatsApp: one actor per device, the records that a linked device needs (`engine_record`), and
//! the translation between WhatsApp's types and our own. Knows no domain: it takes commands and tells events.

mod actor;
mod addresses;
mod client;
mod config;
mod directory;
mod error;
mod event;
mod groups;
mod handle;
mod http;
mod inbound;
mod lanes;
mod link_preview;
mod listener;
mod mentions;
mod originals;
mod pairing;
mod pump;
mod storage;
mod subjects;
mod supervisor;
mod transport;
mod types;

pub use config::{Endpoint, EngineConfig, ReconnectPolicy};
pub use error::{EngineError, SendError};
pub use event::{EngineEvent, EventKind};
pub use handle::{Command, Handle, Reply, Sending};
pub use originals::Originals;
pub use storage::reseal as reseal_records;
pub use types::{
    IncomingContent, IncomingMessage, LinkPreview, Mention, Outgoing, OutgoingContent, PairingCode, ReceiptKind,
    Resolved, Text, new_message_id,
};

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{clock::Clock, store::cipher::Cipher};

/// Starts the engine: nothing connects before the first command. One dispatcher must drain the receiver.
pub fn start(
    config: EngineConfig,
    cipher: Cipher,
    clock: Clock,
    originals: Arc<dyn Originals>,
) -> Result<(Handle, mpsc::Receiver<EngineEvent>), EngineError> {
    config.check()?;
    let (events, receiver) = mpsc::channel(config.event_buffer);
    let (handle, commands) = Handle::scripted();
    let shared = client::Shared {
        dialling: transport::Dialling::new(&config.endpoint),
        http: http::MediaHttp::new(&config.endpoint),
        directory: Arc::new(directory::Directory::new(config.resolve_ttl)),
        reader: storage::Reader::start(),
        writer: storage::Writer::start(config.commit_window),
        cipher,
        clock,
        originals,
        events,
        config,
    };
    tokio::spawn(supervisor::Supervisor::new(Arc::new(shared)).run(commands));
    Ok((handle, receiver))
}
