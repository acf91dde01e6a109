//! The session's cookie: the refresh token of a browser, out of reach of its scripts.
//!
//! It is only ever believed together with the header `X-Kabar-Session: cookie`, which a foreign page can't send, or on a
//! websocket and a picture whose origin is our own; SameSite=Strict keeps it at home besides.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};

use crate::{graphql::context::CookieChange, secret::Secret};

/// Over https the name promises that the cookie was set by this host, for this host only.
const SECURE_NAME: &str = "__Host-kabar";
const PLAIN_NAME: &str = "kabar_session";
/// What a client sends to keep its refresh token in the cookie.
const MODE_HEADER: &str = "x-kabar-session";

/// Whether the client asked for cookies, which also proves that no foreign page sent the request.
pub fn wants_cookie(headers: &HeaderMap) -> bool {
    headers
        .get(MODE_HEADER)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"cookie"))
}

/// The session's cookie, if there is one.
pub fn session(headers: &HeaderMap, https: bool) -> Option<Secret> {
    let name = name(https);
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, value)| *key == name && !value.is_empty())?;
    Some(Secret::new(value))
}

/// The Set-Cookie header of a change.
pub fn set_cookie(change: &CookieChange, https: bool, now: DateTime<Utc>) -> Option<HeaderValue> {
    let (value, seconds) = match change {
        CookieChange::Set(token, until) => (token.expose(), (*until - now).num_seconds().max(0)),
        CookieChange::Clear => ("", 0),
    };
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
        name(https)
    );
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn name(https: bool) -> &'static str {
    if https { SECURE_NAME } else { PLAIN_NAME }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().expect("a header"));
        headers
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = session(&headers("a=b; kabar_session=kbr_x; c=d"), false);
        assert_eq!(found.as_ref().map(Secret::expose), Some("kbr_x"));
        assert!(
            session(&headers("kabar_session=kbr_x"), true).is_none(),
            "https believes the secure name only"
        );
        assert!(session(&headers("kabar_session="), false).is_none());
        assert!(session(&HeaderMap::new(), false).is_none());
    }

    #[test]
    fn a_set_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let change = CookieChange::Set(Secret::new("kbr_x"), now + chrono::TimeDelta::days(14));
        let header = set_cookie(&change, true, now).expect("a header");
        let text = header.to_str().expect("text");
        assert_eq!(
            text,
            "__Host-kabar=kbr_x; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
        );
        let header = set_cookie(&CookieChange::Clear, false, now).expect("a header");
        assert!(
            header
                .to_str()
                .expect("text")
                .starts_with("kabar_session=; Path=/; Max-Age=0; HttpOnly")
        );
    }

    #[test]
    fn the_mode_header_is_asked_for_by_name_and_value() {
        let mut headers = HeaderMap::new();
        assert!(!wants_cookie(&headers));
        headers.insert(MODE_HEADER, HeaderValue::from_static("body"));
        assert!(!wants_cookie(&headers));
        headers.insert(MODE_HEADER, HeaderValue::from_static("cookie"));
        assert!(wants_cookie(&headers));
    }
}
