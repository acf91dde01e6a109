//! The sandbox network in the API: simulated phones to link, write to, answer with and disturb.
//!
//! Compiled only with the cargo feature `sandbox`, and null or refused when the server was told to use another network.
//! The network belongs to the machine, not to a tenant: every person who is logged in plays with the same phones.

#![expect(clippy::unused_async, reason = "a resolver is async whether it waits or not")]

mod inputs;
mod mutation;
mod query;
mod views;

pub use mutation::SandboxMutation;
pub use query::{SandboxQuery, SandboxSubscription};
