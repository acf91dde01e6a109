//! Counts failed logins, so that passwords can't be tried out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::rates::network;

/// More are not kept: the oldest windows are forgotten first.
const MOST_WINDOWS: usize = 50_000;
/// An account may fail this much more often in all than from one address: strangers can't lock a person out easily, and
/// many addresses together can't try without end.
const ALL_ADDRESSES: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Account([u8; 16]),
    AccountFrom([u8; 16], IpAddr),
    Address(IpAddr),
}

struct Window {
    ends: DateTime<Utc>,
    failures: u32,
}

/// How many failures are allowed, in which time.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// To one account from one address.
    pub per_account: u32,
    /// The time over which they are counted.
    pub account_window: TimeDelta,
    /// From one address.
    pub per_address: u32,
    /// The time over which they are counted.
    pub address_window: TimeDelta,
}

/// Failed logins of the last minutes, in memory.
#[derive(Default)]
pub struct Throttle {
    windows: Mutex<HashMap<Key, Window>>,
}

/// A login that is being tried. It counts as failed unless [`Throttle::forgive`] is told otherwise.
#[must_use]
pub struct Attempt(Vec<Key>);

impl Throttle {
    /// Counts an attempt before it is made, so that many at the same moment don't slip through; or tells when the next
    /// one may be made.
    pub fn begin(
        &self,
        email: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
        allowed: Allowance,
    ) -> Result<Attempt, DateTime<Utc>> {
        let mut account = [0; 16];
        account.copy_from_slice(&Sha256::digest(email.as_bytes())[..16]);
        let of_account = allowed.account_window;
        let everywhere = allowed.per_account.saturating_mul(ALL_ADDRESSES);
        let mut keys = vec![(Key::Account(account), everywhere, of_account)];
        match address.map(network) {
            Some(address) => {
                keys.push((Key::AccountFrom(account, address), allowed.per_account, of_account));
                keys.push((Key::Address(address), allowed.per_address, allowed.address_window));
            }
            None => keys[0].1 = allowed.per_account,
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut windows, now);
        let blocked = keys.iter().filter_map(|(key, most, _)| {
            let window = windows.get(key).filter(|window| window.ends > now)?;
            (window.failures >= *most).then_some(window.ends)
        });
        if let Some(retry_at) = blocked.max() {
            return Err(retry_at);
        }
        for (key, _, length) in &keys {
            let fresh = || Window {
                ends: now + *length,
                failures: 0,
            };
            let window = windows.entry(*key).or_insert_with(fresh);
            if window.ends <= now {
                *window = fresh();
            }
            window.failures += 1;
        }
        Ok(Attempt(keys.into_iter().map(|(key, ..)| key).collect()))
    }

    /// The attempt succeeded: the account starts anew, and the address gets its attempt back.
    pub fn forgive(&self, attempt: &Attempt) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &attempt.0 {
            match key {
                Key::Address(_) | Key::Account(_) => {
                    if let Some(window) = windows.get_mut(key) {
                        window.failures = window.failures.saturating_sub(1);
                    }
                }
                Key::AccountFrom(..) => {
                    windows.remove(key);
                }
            }
        }
    }
}

fn forget_old(windows: &mut HashMap<Key, Window>, now: DateTime<Utc>) {
    if windows.len() < MOST_WINDOWS {
        return;
    }
    windows.retain(|_, window| window.ends > now);
    if windows.len() >= MOST_WINDOWS {
        let mut ages: Vec<DateTime<Utc>> = windows.values().map(|window| window.ends).collect();
        ages.sort_unstable();
        let middle = ages[ages.len() / 2];
        windows.retain(|_, window| window.ends > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Allowance = Allowance {
        per_account: 3,
        account_window: TimeDelta::minutes(5),
        per_address: 5,
        address_window: TimeDelta::minutes(5),
    };

    fn throttle() -> Throttle {
        Throttle::default()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a moment")
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_account_is_closed_after_failures_until_the_window_ends() {
        let throttle = throttle();
        for second in 0..3 {
            assert!(throttle.begin("a@x", address("10.0.0.1"), at(second), ALLOWED).is_ok());
        }
        assert_eq!(
            throttle.begin("a@x", address("10.0.0.1"), at(10), ALLOWED).err(),
            Some(at(300))
        );
        assert!(
            throttle.begin("a@x", address("10.0.0.2"), at(10), ALLOWED).is_ok(),
            "the owner is not locked out elsewhere"
        );
        assert!(throttle.begin("a@x", address("10.0.0.1"), at(300), ALLOWED).is_ok());
    }

    #[test]
    fn an_address_is_closed_over_all_accounts() {
        let throttle = throttle();
        for name in ["a", "b", "c", "d", "e"] {
            assert!(throttle.begin(name, address("2001:db8::1"), at(0), ALLOWED).is_ok());
        }
        assert!(
            throttle.begin("f", address("2001:db8::ffff"), at(1), ALLOWED).is_err(),
            "the same /64"
        );
        assert!(throttle.begin("f", address("2001:db8:0:1::1"), at(1), ALLOWED).is_ok());
    }

    #[test]
    fn a_success_is_not_counted() {
        let throttle = throttle();
        for second in 0..20 {
            let attempt = throttle
                .begin("a@x", address("10.0.0.1"), at(second), ALLOWED)
                .expect("never closed");
            throttle.forgive(&attempt);
        }
    }
}
