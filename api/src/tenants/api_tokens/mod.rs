//! API tokens: how programs act for a tenant.
//!
//! Owns the table `api_token`. A token is shown once, when it is made; the database keeps its SHA-256 only. It belongs to
//! the tenant, not to who made it.
//!
//! **Invariant:** a token can only do what its scopes allow, on the devices and from the networks it names. The devices are
//! part of the scope that its queries are made from.

mod queries;
mod schema;
mod service;
mod types;
mod usage;

pub use schema::{ApiToken, ApiTokenMutation, ApiTokenQuery};
pub use service::ApiTokens;

pub(super) use queries::find_by_secret;
pub(super) use types::{TokenSecret, TokenStanding};
pub(super) use usage::LastUses;
