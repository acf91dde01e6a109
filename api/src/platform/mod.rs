//! The operator's side: tenants, plans, settings, and the logs of all.
//!
//! Owns no table of its own: it works on `tenant`, `plan`, `platform_settings` and `access_grant`, across tenants, through
//! `SystemScope`. It never opens what is inside a tenant: whoever wants to see devices, chats or messages has to be let in.
//!
//! | Where… | |
//! |---|---|
//! | is a tenant made, changed? | `service.rs` |
//! | is a tenant suspended, let act again? | `standing.rs` |
//! | is a tenant deleted? | `deletion.rs` says so, `erasure.rs` does it |
//! | is everything a tenant owns exported? | `export.rs`, `http/exports/tenant.rs` |
//! | is an operator let into a tenant? | `grants.rs` |
//! | is the audit log of all tenants read? | `audit.rs` |
//!
//! **Invariant:** every function of the service begins with `require_operator`.

mod audit;
mod audit_schema;
mod deletion;
mod erasure;
pub mod export;
mod grants;
mod grants_schema;
mod plans;
mod plans_schema;
mod queries;
mod schema;
mod service;
mod settings;
mod settings_schema;
mod standing;
mod tenants_schema;
mod types;

pub use erasure::Erasure;
pub use grants_schema::GrantMutation;
pub use plans_schema::PlanMutation;
pub use schema::PlatformQuery;
pub use service::Platform;
pub use settings_schema::PlatformSettingsMutation;
pub use tenants_schema::PlatformTenantMutation;
