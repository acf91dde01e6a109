//! The operator's side: tenants and plans.
//!
//! Owns no table of its own: it works on `tenant`, `plan` and `platform_settings`, across tenants, through `SystemScope`. It never opens what is
//! inside a tenant: whoever wants to see devices, chats or messages has to be let in.
//!
//! **Invariant:** every function of the service begins with `require_operator`.

mod plans;
mod queries;
mod schema;
mod service;
mod settings;
mod settings_schema;
mod types;

pub use schema::{PlatformMutation, PlatformQuery};
pub use service::Platform;
pub use settings_schema::PlatformSettingsMutation;
