//! Ranges in arguments.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

/// A range of time: from (included) to (not included).
#[derive(Clone, Copy, Debug, Default, InputObject)]
pub struct TimeRange {
    /// The beginning, included.
    pub from: Option<DateTime<Utc>>,
    /// The end, not included.
    pub to: Option<DateTime<Utc>>,
}
