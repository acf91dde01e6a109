//! The operator's side: tenants and plans.
//!
//! Owns no table of its own: it works on `tenant` and `plan`, across tenants, through `SystemScope`. It never opens what is
//! inside a tenant: whoever wants to see devices, chats or messages has to be let in.
//!
//! **Invariant:** every function of the service begins with `require_operator`.

mod plans;
mod queries;
mod schema;
mod service;
mod types;

pub use schema::{PlatformMutation, PlatformQuery};
pub use service::Platform;
