//! How fast a device sends.

use std::time::Duration;

use rand::RngExt;

/// The least time between two messages of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// At least this long.
    pub gap: Duration,
    /// And up to this much longer, at random.
    pub jitter: Duration,
}

impl Pacing {
    /// Whether messages go out as fast as they can.
    pub fn is_off(&self) -> bool {
        self.gap.is_zero() && self.jitter.is_zero()
    }

    /// How long to wait before the next message.
    pub fn next_gap(&self) -> Duration {
        self.gap + self.jitter.mul_f64(rand::rng().random::<f64>())
    }
}
