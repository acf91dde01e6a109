//! Who belongs to a tenant, and how people come in.
//!
//! Owns the tables `membership` and `invitation`. An invitation is a link that works once: accepting it deletes its row,
//! so of two clicks only one comes in.
//!
//! | Where… | |
//! |---|---|
//! | is somebody invited? | `invitations.rs` |
//! | does somebody come in? | `accepting.rs` |
//! | does a role change, does somebody leave? | `service.rs` |
//!
//! **Invariant:** a tenant always has an owner. Whoever changes roles or removes somebody locks the tenant's row first, so
//! that two owners who remove each other at the same moment don't both succeed.

mod accepting;
mod invitations;
mod queries;
mod schema;
mod service;

pub use schema::{Invitation, Member, MemberMutation, MemberQuery};
pub use service::Members;
