//! The GraphQL toolkit: errors, pagination, ids and scalars, limits. Nothing of any domain.

pub mod context;
pub mod errors;
pub mod ids;
pub mod limits;
mod measure;
mod nesting;
pub mod pagination;
mod ranges;
pub mod scalars;

pub use errors::{ErrorCode, Fault, GqlError, Outcome, Payload, Refusal, UserError, answer};
pub use ranges::TimeRange;
