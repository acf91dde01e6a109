//! What outlives a page: the session, the live feed, preferences, and the shapes in which pages hold what they loaded.

pub mod clock;
pub mod format;
pub mod live;
pub mod paged;
pub mod phone;
pub mod preferences;
pub mod remote;
pub mod rows;
pub mod session;
pub mod soon;
pub mod totals;
pub mod unique;
