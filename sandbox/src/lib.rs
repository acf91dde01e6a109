//! A WhatsApp network in a box: the real wire protocol, with simulated phones.
//!
//! The network speaks what WhatsApp's servers speak to linked devices: a websocket, the Noise
//! handshake, binary stanzas, Signal keys and sessions, receipts, groups and encrypted media. Real
//! client libraries connect to it unchanged. Behind every number is a simulated phone that scans
//! QR codes, opens its messages, answers with receipts and texts as it is told, and keeps a ledger
//! of what reached it: that is how claims about delivery are tested.
//!
//! ```no_run
//! # async fn example(qr: &str) -> Result<(), sandbox::SandboxError> {
//! use sandbox::{Behavior, Network, NetworkConfig, Reply, Target};
//!
//! let network = Network::start(NetworkConfig::default()).await?;
//! network.create_phone("+62 812 0000 001", Some("Ani"), Behavior { reads: true, ..Behavior::default() })?;
//! // A client connected to `network.url()` shows a QR code; Budi's phone scans it:
//! network.scan_qr("+62 812 0000 002", qr).await?;
//! network.send_text("+628120000001", Target::Phone("+628120000002".into()), "halo").await?;
//! assert_eq!(network.received_count("+628120000001"), 0);
//! # Ok(()) }
//! ```
//!
//! The same as a program, with a control API over HTTP (see [`control`]): `kabar-sandbox`.
//!
//! Where is …?
//!
//! | | |
//! |---|---|
//! | the port, the handshake, a frame, a connection | `server`, `noise`, `frame`, `connection` |
//! | a stanza answered | `handlers/` by namespace, `pairing` before a device is linked |
//! | what a text that mentions people looks like | `text` |
//! | a phone | `phone/`: `receiving`, `sending`, `retries`, `welcome`, `signal`, `ledger`, `history` |
//! | what waits for a device | `mailbox` |
//! | media | `media` |
//! | the data directory | `storage` |
//!
//! What is simplified: certificate signatures (clients are told not to check them), anything about
//! calls, status and newsletters (accepted, shown to nobody), limits and bans, and the patience of
//! the real thing.

mod account;
mod adv;
mod app_state;
mod clock;
mod connection;
pub mod control;
mod core;
mod error;
mod frame;
mod groups;
mod handlers;
mod mailbox;
mod media;
mod network;
mod noise;
mod number;
mod pairing;
mod phone;
mod server;
mod stanza;
mod storage;
mod text;
mod views;

pub use error::SandboxError;
pub use network::Network;
pub use text::Text;
pub use views::{
    Behavior, BehaviorPatch, Disruption, Group, LedgerPart, LinkPreview, LinkedDevice, NetworkConfig, NetworkEvent,
    NetworkStats, Phone, Received, Reply, Target,
};
