//! The event log: every change, numbered without gaps per tenant, and the live hints that there is something to read.
//!
//! Owns the tables `event` and `event_sequence`. Knows nothing of what an event is about: the domains above name it, and
//! `feed` shows it to subscribers.
//!
//! **Invariant:** a change and its event commit together: [`EventLog::commit`] is how a transaction ends that changed
//! something worth telling. The number is taken last, so that a tenant's sequence is locked only for the commit.
//!
//! **Invariant:** live delivery is a hint to read the log. Whoever follows from a cursor misses nothing and sees nothing
//! twice.

mod bus;
mod log;
mod queries;
mod service;
pub mod types;

pub use bus::Bus;
pub use log::EventLog;
pub use service::{Follow, head, list};
pub use types::{EventFilter, NewEvent};
