//! Which addresses may be spoken to: the public internet's, and what the configuration allows besides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::FetchError;
use crate::config::Network;

/// IPv4 that is not the public internet: the special-purpose registry of IANA (RFC 6890), multicast and what is reserved.
/// The last one is public by number, and the metadata service of Azure's machines.
const NOT_PUBLIC: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Of IPv6 only 2000::/3 is given out to the public; these parts of it are not. They carry IPv4 inside, or are for books.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Finds and judges addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    /// These are allowed though they are not public.
    allowed: Vec<Network>,
}

impl Addresses {
    pub(super) fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// The addresses of a URL's host that may be spoken to; never none.
    pub(super) async fn of(&self, url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
        let port = url.port_or_known_default().ok_or(FetchError::Address)?;
        let found: Vec<SocketAddr> = match url.host().ok_or(FetchError::Address)? {
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
            Host::Domain(name) => tokio::net::lookup_host((name, port))
                .await
                .map_err(FetchError::Unknown)?
                .collect(),
        };
        let allowed: Vec<SocketAddr> = found.into_iter().filter(|found| self.allows(found.ip())).collect();
        if allowed.is_empty() {
            return Err(FetchError::Private);
        }
        Ok(allowed)
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || self.allowed.iter().any(|network| network.contains(address))
    }
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            // NAT64 (RFC 6052): the last four bytes are the IPv4 address that is meant.
            if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
                return is_public_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
            }
            let within = |(network, prefix): &(Ipv6Addr, u32)| {
                address.to_bits() >> (128 - prefix) == network.to_bits() >> (128 - prefix)
            };
            address.segments()[0] >> 13 == 1 && !NOT_PUBLIC_V6.iter().any(within)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within =
        |(network, prefix): &(Ipv4Addr, u32)| address.to_bits() >> (32 - prefix) == network.to_bits() >> (32 - prefix);
    !NOT_PUBLIC.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(url: &str, allowed: &str) -> Result<Vec<SocketAddr>, FetchError> {
        let allowed = allowed
            .split_whitespace()
            .filter_map(|text| text.parse().ok())
            .collect();
        Addresses::new(allowed).of(&url.parse().expect("a URL")).await
    }

    #[test]
    fn only_the_public_internet_is_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
        for text in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "64:ff9b::101:101",
            "2606:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_is_judged_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://017700000001/",
            "http://[::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://localhost/",
            "http://localhost./",
            "http://127。0。0。1/",
        ] {
            let refused = found(url, "").await;
            assert!(
                matches!(refused, Err(FetchError::Private | FetchError::Unknown(_))),
                "{url}: {refused:?}"
            );
        }
        assert_eq!(
            found("https://1.1.1.1/", "").await.ok(),
            Some(vec![([1, 1, 1, 1], 443).into()])
        );
    }

    #[tokio::test]
    async fn what_is_allowed_is_found_and_nothing_beside_it() {
        let allowed = found("http://127.0.0.1:81/", "127.0.0.1").await.ok();
        assert_eq!(allowed, Some(vec![([127, 0, 0, 1], 81).into()]));
        assert!(found("http://127.0.0.2:81/", "127.0.0.1").await.is_err());
        // Of a name only the addresses that may be spoken to are.
        let of_name = found("http://localhost/", "127.0.0.0/8").await.unwrap_or_default();
        assert_eq!(of_name, [([127, 0, 0, 1], 80).into()]);
    }
}
