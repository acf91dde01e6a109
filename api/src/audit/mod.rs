//! The audit log: who did what, from where, by which token.
//!
//! Owns the table `audit_entry`. Entries are only ever added: the store has no call that changes or deletes one, and the
//! database refuses it. They go with their tenant.
//!
//! **Invariant:** an entry is written in the transaction of what it tells about, so that neither exists without the other.
//!
//! **Invariant:** no secret and no message's text is in an entry. [`Entry`] keeps only what changed, and blanks whatever a
//! name like `password` or `token` stands beside.

mod queries;
mod record;
mod types;

pub use queries::{AuditSearch, Whose, find, list, list_across};
pub use record::{record, record_beyond};
pub use types::{Action, Actor, Acts, Entry};
