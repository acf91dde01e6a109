//! Where a request came from, and who sent it.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, header, request::Parts},
};

use super::{Services, cookies};
use crate::{
    config::Config,
    graphql::context::{Origin, Transport},
    tenants::{AuthenticationError, Principal},
};

/// More of it is not kept.
const LONGEST_USER_AGENT: usize = 255;

/// The network's side of a request.
#[derive(Clone, Debug)]
pub struct Place {
    /// The client's address, as far as proxies can be trusted with it. Unknown for requests made in-process.
    pub address: Option<IpAddr>,
    /// Whether the request certainly came from this machine.
    pub is_local: bool,
    /// Whether the browser speaks https, to us or to the proxy in front.
    pub https: bool,
}

impl Place {
    /// Reads it from a request. Forwarding headers count only when a trusted proxy sent them.
    pub fn of(extensions: &Extensions, headers: &HeaderMap, config: &Config) -> Self {
        let peer = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let is_trusted = |address: IpAddr| {
            config
                .server
                .trusted_proxies
                .iter()
                .any(|network| network.contains(address))
        };
        let by_proxy = peer.is_some_and(is_trusted);
        let address = if by_proxy {
            forwarded_for(headers, is_trusted).or(peer)
        } else {
            peer
        };
        // Whoever came through a proxy that nobody vouches for came from anywhere.
        let was_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
        let is_local = address.is_some_and(|address| address.is_loopback()) && (by_proxy || !was_forwarded);
        let forwarded_https = by_proxy && headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
        Self {
            address,
            is_local,
            https: forwarded_https || config.public_is_https(),
        }
    }
}

/// The last address in the chain that is no trusted proxy: everything before it is hearsay.
fn forwarded_for(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let chain: Vec<&str> = values.iter().flat_map(|value| value.split(',')).collect();
    let addresses = chain.into_iter().rev().map(|text| text.trim().parse::<IpAddr>().ok());
    let mut last = None;
    for address in addresses {
        let address = address?.to_canonical();
        last = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// Where a request comes from.
pub fn origin(place: &Place, headers: &HeaderMap) -> Origin {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        address: place.address,
        user_agent: user_agent.map(|text| text.chars().take(LONGEST_USER_AGENT).collect::<String>().into()),
    }
}

/// Whether no page of another site sent the request: its origin is our own, or it has none because no browser sent it.
/// Our own is the public address, or the host that was asked. A page that came over https is believed to be ours when the
/// proxy in front did not say that it speaks https.
pub fn is_no_foreign_page(headers: &HeaderMap, config: &Config, https: bool) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("null"));
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let is = |other: &str| origin.eq_ignore_ascii_case(other);
    let is_host = |host: &str| is(&format!("https://{host}")) || (!https && is(&format!("http://{host}")));
    config.server.public_url.as_deref().is_some_and(is) || text(header::HOST).is_some_and(is_host)
}

/// What resolvers may know of the transport. A page of another site never gets to the cookie, whatever it sends.
pub fn transport(place: &Place, headers: &HeaderMap, config: &Config) -> Transport {
    let wants_cookie = cookies::wants_cookie(headers) && is_no_foreign_page(headers, config, place.https);
    let mut transport = Transport::default();
    transport.origin = origin(place, headers);
    transport.wants_cookie = wants_cookie;
    transport.refresh_cookie = if wants_cookie {
        cookies::session(headers, place.https)
    } else {
        None
    };
    transport
}

/// Who calls a page or a file: by token, else by the session's cookie. Only for what changes nothing, because a foreign
/// page can make a browser ask for it.
pub async fn authenticate_reader(services: &Services, request: &Parts) -> Result<Principal, AuthenticationError> {
    let authenticator = services.accounts.authenticator();
    let place = Place::of(&request.extensions, &request.headers, &services.config);
    let origin = origin(&place, &request.headers);
    if let Some(token) = bearer(&request.headers) {
        return authenticator.authenticate(token, &origin).await;
    }
    match cookies::session(&request.headers, place.https) {
        Some(cookie) => authenticator.authenticate_cookie(&cookie, &origin).await,
        None => Err(AuthenticationError::Refused),
    }
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer_text)
}

/// The token of `Bearer …`, however the word is written.
pub fn bearer_text(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who calls. A token that is not valid any more is like none: whoever needs a caller says so.
pub async fn authenticate(
    services: &Services,
    token: Option<&str>,
    origin: &Origin,
) -> Result<Option<Principal>, AuthenticationError> {
    let Some(token) = token else { return Ok(None) };
    match services.accounts.authenticator().authenticate(token, origin).await {
        Ok(principal) => Ok(Some(principal)),
        Err(AuthenticationError::Refused) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(peer: &str, headers: &[(&'static str, &str)]) -> Place {
        let config = Config::for_tests(&[
            ("secret_key", "0123456789abcdef0123456789abcdef-test"),
            ("server.trusted_proxies", "10.0.0.0/8"),
        ])
        .expect("valid");
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 1)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        Place::of(&extensions, &map, &config)
    }

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        let address = |peer, headers| place(peer, headers).address.map(|address| address.to_string());
        assert_eq!(
            address("1.2.3.4", &[("x-forwarded-for", "9.9.9.9")]).as_deref(),
            Some("1.2.3.4")
        );
        assert_eq!(
            address("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, 9.9.9.9")]).as_deref(),
            Some("9.9.9.9")
        );
        assert_eq!(
            address("10.0.0.1", &[("x-forwarded-for", "9.9.9.9, 10.0.0.2")]).as_deref(),
            Some("9.9.9.9")
        );
        assert_eq!(
            address("10.0.0.1", &[("x-forwarded-for", "garbage")]).as_deref(),
            Some("10.0.0.1")
        );
        assert!(place("10.0.0.1", &[("x-forwarded-proto", "https")]).https);
        assert!(!place("1.2.3.4", &[("x-forwarded-proto", "https")]).https);
    }

    #[test]
    fn what_a_proxy_forwarded_is_not_local() {
        assert!(place("127.0.0.1", &[]).is_local);
        assert!(place("::ffff:127.0.0.1", &[]).is_local);
        assert!(!place("127.0.0.1", &[("x-forwarded-for", "127.0.0.1")]).is_local);
        assert!(!place("1.2.3.4", &[]).is_local);
    }

    #[test]
    fn pages_of_other_sites_are_foreign() {
        let config = |url: &str| {
            Config::for_tests(&[
                ("secret_key", "0123456789abcdef0123456789abcdef-test"),
                ("server.public_url", url),
            ])
            .expect("valid")
        };
        let own = |url: &str, https, origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "kabar.example:8080".parse().expect("a header"));
            headers.insert(header::ORIGIN, origin.parse().expect("a header"));
            is_no_foreign_page(&headers, &config(url), https)
        };
        assert!(is_no_foreign_page(&HeaderMap::new(), &config(""), false));
        assert!(own("", false, "http://kabar.example:8080"));
        assert!(own("", false, "https://kabar.example:8080"));
        assert!(!own("", true, "http://kabar.example:8080"));
        assert!(own("https://wa.example", true, "https://WA.example"));
        for foreign in [
            "https://evil.example",
            "http://kabar.example",
            "null",
            "https://kabar.example:8080.evil",
        ] {
            assert!(!own("https://wa.example", false, foreign), "{foreign}");
        }
    }

    #[test]
    fn bearer_tokens_are_read_and_other_schemes_are_not() {
        assert_eq!(bearer_text("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer_text("bearer  a.b.c "), Some("a.b.c"));
        assert_eq!(bearer_text("Basic eDp5"), None);
        assert_eq!(bearer_text("Bearer"), None);
    }
}
