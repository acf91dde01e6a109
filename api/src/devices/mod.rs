//! Devices: WhatsApp accounts linked as companions.
//!
//! Owns the table `device`, the leases of this node, and the codes that are shown while a device is being linked. Knows
//! nothing of messages.
//!
//! **Invariant:** a device is changed by engine news only under the lease that the news carries ([`status`]).
//!
//! **Invariant:** only a confirmed logout, a wipe or a ban ends a link; everything else reconnects by itself.

mod connecting;
pub mod lease;
pub mod pairing;
pub mod queries;
mod removal;
pub mod schema;
pub mod service;
pub mod status;
pub mod types;
pub mod views;

pub use lease::{LeasedDevice, Leases};
pub use service::Devices;
