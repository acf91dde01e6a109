//! Messages, in and out.
//!
//! Owns the tables `message`, `receipt` and `message_queue`. Whoever wants to send, inserts a message and queues it.
//!
//! **Invariant:** one way out. [`outbox`] accepts, one [`sender`] per connected device drains.
//!
//! **Invariant:** never lost, never doubled. The WhatsApp message id is stored before the first attempt; QUEUED → SENDING
//! is committed before the network is touched; SENT only on the server's ack. What was SENDING when something broke is
//! sent again with the same id.
//!
//! **Invariant:** a status never moves back ([`types::may_follow`]).

pub mod addressing;
pub mod attempts;
pub mod claims;
pub mod content;
pub mod departure;
pub mod inbox;
pub mod inputs;
pub mod joining;
pub mod lane;
pub mod link_preview;
pub mod mention_views;
pub mod mentions;
pub mod originals;
pub mod outbox;
pub mod pacing;
pub mod participants;
pub mod queries;
pub mod queue;
pub mod receipts;
pub mod recent;
pub mod relations;
pub mod schema;
pub mod sender;
pub mod service;
pub mod steps;
pub mod types;
pub mod views;
pub mod waiting;

pub use inbox::Inbox;
pub use joining::Joining;
pub use lane::SendingOptions;
pub use link_preview::LinkPreviews;
pub use originals::Originals;
pub use outbox::Outbox;
pub use receipts::Receipts;
pub use recent::Recent;
pub use sender::Senders;
pub use service::Messages;

use entity::message;
use sea_orm::ActiveEnum;

/// Counts messages that reached a state, for `/metrics`. Called after the commit.
fn count(status: message::Status, messages: usize) {
    metrics::counter!("kabar_messages_total", "status" => status.to_value()).increment(messages as u64);
}
