//! Rate limits: how many in how short a time, changeable while the server runs.
//!
//! Owns the tables `platform_settings` and `rate_window`. Knows no domain: who is counted is a text.
//!
//! Why not a crate: a token bucket such as `governor`'s has its quota fixed when it is made, lives in one process, and
//! cannot say how much of a window is used or give back what a query did not cost. Why not a row per request: one write
//! per query would cost more than most queries. So every node counts in memory, and once a second adds what it has
//! counted to a row that all nodes share and takes over the sum. A limit may be exceeded by what the other nodes allow
//! within that second; what must be exact is a quota (`tenants/quota.rs`).
//!
//! **Invariant:** a change of the settings counts on every node within two seconds, without a restart.

use std::net::IpAddr;

mod settings;
mod windows;

pub use settings::{RateLimit, RateSettings, Rule, Values};
pub use windows::{Limited, Standing, Windows};

/// One household has a whole /64 of IPv6 addresses: they count as one.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}
