//! Chats: conversations of a device with people and groups.
//!
//! Owns the tables `chat` and `address_pair`. Knows that messages exist (their newest id, how many are unread), not what is in them.
//!
//! **Invariant:** a device has one chat per address; messages that arrive at the same moment agree on it by the unique
//! key, not by looking first.

pub mod addresses;
pub mod naming;
pub mod queries;
pub mod schema;
pub mod service;
pub mod types;

pub use naming::GroupNames;
pub use service::{ChatTouch, touch};
