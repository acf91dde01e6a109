//! What the engine is told at its start: where it connects, and how patient it is.

use std::time::Duration;

#[cfg(feature = "sandbox")]
use std::net::IpAddr;

use super::EngineError;

/// Everything the engine lets the operator decide.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub endpoint: Endpoint,
    pub reconnect: ReconnectPolicy,
    /// How long the server may take to acknowledge a message before the connection is suspected to be deaf.
    pub ack_timeout: Duration,
    /// How long a probe of a suspected connection may take before the connection is replaced.
    pub probe_timeout: Duration,
    /// How long a connection attempt may take, from the dial until WhatsApp greets the device.
    pub connect_timeout: Duration,
    /// How long an answer about a phone number (is it on WhatsApp?) is believed.
    pub resolve_ttl: Duration,
    /// How long [`super::Handle::shutdown`] waits for devices to write out their state.
    pub shutdown_timeout: Duration,
    /// How long storage writes of one process are collected before they are committed together.
    pub commit_window: Duration,
    /// One-time keys a device keeps at the server for people who write to it first.
    pub pre_keys: usize,
    /// How many events may wait for the dispatcher before devices are held back.
    pub event_buffer: usize,
}

impl EngineConfig {
    /// The defaults for an endpoint.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            reconnect: ReconnectPolicy::default(),
            ack_timeout: Duration::from_secs(10),
            probe_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(30),
            resolve_ttl: Duration::from_hours(24),
            shutdown_timeout: Duration::from_secs(10),
            commit_window: Duration::from_millis(250),
            pre_keys: 100,
            event_buffer: 4096,
        }
    }

    pub(super) fn check(&self) -> Result<(), EngineError> {
        self.endpoint.check()
    }
}

/// Which network the devices of this process talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// WhatsApp itself.
    Live,
    /// The network in a box, on this machine.
    #[cfg(feature = "sandbox")]
    Sandbox {
        /// `ws://127.0.0.1:PORT/ws/chat`
        url: String,
        /// `http://127.0.0.1:PORT`
        media_base: String,
    },
}

impl Endpoint {
    /// **Invariant:** a build that accepts the sandbox's unsigned certificates connects to this machine only; every
    /// other build connects to WhatsApp only.
    #[cfg(feature = "sandbox")]
    fn check(&self) -> Result<(), EngineError> {
        match self {
            Self::Live => Err(EngineError::Endpoint("this build connects to its sandbox only")),
            Self::Sandbox { url, media_base } => {
                for (address, scheme) in [(url, "ws"), (media_base, "http")] {
                    if !is_loopback(address, scheme) {
                        return Err(EngineError::Endpoint(
                            "the sandbox is only reached on a loopback address",
                        ));
                    }
                }
                Ok(())
            }
        }
    }

    #[cfg(not(feature = "sandbox"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the sandbox build has something to refuse"
    )]
    fn check(&self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Names are refused as well: what `localhost` is, another program decides.
#[cfg(feature = "sandbox")]
fn is_loopback(address: &str, scheme: &str) -> bool {
    let Ok(address) = address.parse::<http::Uri>() else {
        return false;
    };
    let host = address
        .host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    address.scheme_str() == Some(scheme) && host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback())
}

/// How long a device waits before it dials again.
#[derive(Clone, Copy, Debug)]
pub struct ReconnectPolicy {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait; each failure doubles it until then.
    pub longest: Duration,
    /// A connection that held this long starts again with the first wait.
    pub stable_after: Duration,
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_mins(2),
            stable_after: Duration::from_secs(30),
        }
    }
}

impl ReconnectPolicy {
    /// The wait before attempt number `failures + 1`, spread over its upper half by `random` from 0 to 1, so that
    /// devices that lost the network together don't come back together.
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1_u32.checked_shl(failures.min(20)).unwrap_or(u32::MAX));
        doubled.min(self.longest).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_below_the_longest() {
        let policy = ReconnectPolicy::default();
        assert_eq!(policy.delay(0, 1.0), policy.first);
        assert_eq!(policy.delay(1, 1.0), policy.first * 2);
        assert_eq!(policy.delay(1, 0.0), policy.first);
        assert_eq!(policy.delay(40, 1.0), policy.longest);
    }

    #[cfg(feature = "sandbox")]
    #[test]
    fn a_sandbox_build_refuses_every_other_network() {
        let sandbox = |url: &str, media: &str| {
            EngineConfig::new(Endpoint::Sandbox {
                url: url.into(),
                media_base: media.into(),
            })
            .check()
        };
        assert!(EngineConfig::new(Endpoint::Live).check().is_err());
        assert!(sandbox("ws://127.0.0.1:1/ws/chat", "http://127.0.0.1:1").is_ok());
        assert!(sandbox("ws://[::1]:1/ws/chat", "http://[::1]:1").is_ok());
        for url in [
            "wss://web.whatsapp.com/ws/chat",
            "ws://10.0.0.1:1",
            "ws://localhost:1",
            "ws://127.0.0.1.evil.id:1",
        ] {
            assert!(sandbox(url, "http://127.0.0.1:1").is_err(), "{url}");
        }
        assert!(sandbox("ws://127.0.0.1:1/ws/chat", "https://mmg.whatsapp.net").is_err());
    }
}
