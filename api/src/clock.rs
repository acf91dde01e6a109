//! Time and fresh ids: the only place that reads the system's clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

/// Tells the time. A test may hold one that only moves when told.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds since the epoch, when the clock is held still.
    held: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `at` until [`Clock::advance`].
    pub fn held_at(at: DateTime<Utc>) -> Self {
        Self {
            held: Some(Arc::new(AtomicI64::new(at.timestamp_micros()))),
        }
    }

    /// Now, to the microsecond: what Postgres keeps, so that a value read back equals the one written.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        if let Some(held) = &self.held {
            return DateTime::from_timestamp_micros(held.load(Ordering::SeqCst)).unwrap_or_default();
        }
        let now = Utc::now();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Moves a held clock forward; the system's clock moves by itself.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(held) = &self.held {
            held.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}

/// A new id: UUIDv7, so that rows made later sort later; monotonic within the process.
pub fn new_id<T: From<Uuid>>() -> T {
    T::from(Uuid::now_v7())
}
