//! Tenants, the people in them, and how people prove who they are.
//!
//! Owns the tables `tenant`, `plan`, `quota_usage`, `user_account`, `membership`, `session`, `refresh_token`, `api_token`,
//! `second_factor`, `recovery_code`, `password_reset`, `invitation` and `access_grant`. Never decides what a message or
//! a device may do; it answers who calls, in which tenant and in which role.
//!
//! **Invariant:** a [`Principal`] exists only when a token was verified, and the session, the person and the membership
//! behind it, or the API token, were found alive less than a second ago. It is the only door to a tenant's scope for a request.
//!
//! **Invariant:** an unknown email address and a wrong password give the same answer after the same work.

pub mod access;
mod account;
mod account_schema;
mod api_tokens;
mod authentication;
mod believed;
pub mod figures;
mod first_run;
mod letters;
pub mod limits;
mod members;
mod one_time;
mod password;
mod password_reset;
mod password_strength;
mod permission;
mod principal;
mod profile;
pub mod provisioning;
pub mod queries;
pub mod quota;
mod schema;
mod second_factor;
mod service;
mod session_schema;
mod sessions;
pub mod settings;
mod settings_schema;
pub mod tenancy;
mod throttle;
mod token;
mod types;
mod usage;
mod used;
pub mod views;

pub use account_schema::{AccountMutation, AccountQuery};
pub use api_tokens::{ApiToken, ApiTokenMutation, ApiTokenQuery, ApiTokens};
pub use authentication::{AuthenticationError, Authenticator};
pub use first_run::{FirstRunError, NewOperator, create_operator, prepare};
pub use letters::Links;
pub use limits::Meter;
pub use members::{Invitation, Member, MemberMutation, MemberQuery, Members};
pub use password::{PasswordError, Passwords};
pub use password_reset::{PasswordResetMutation, PasswordResetQuery, operator_link as password_reset_link};
pub use password_strength::PasswordStrengthQuery;
pub use permission::{Permission, Scope};
pub use principal::{Person, Principal, SeenTenant, principal, scope};
pub use profile::{Profile, Profiles};
pub use quota::Quota;
pub use schema::{Role, Tenant, TenantQuery, User};
pub use second_factor::{SecondFactorMutation, reseal as reseal_second_factors, reset as reset_second_factor};
pub use service::{AccountParts, Accounts};
pub use session_schema::SessionMutation;
pub use settings_schema::{TenantMutation, TenantPayload};
pub use tenancy::Tenancy;
pub use token::Tokens;

#[cfg(test)]
mod tests;
