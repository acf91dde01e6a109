//! Which of two forms a GraphQL answer has, after <https://graphql.github.io/graphql-over-http/draft/>.

use axum::http::{HeaderMap, header};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `application/graphql-response+json`: the status tells whether the request was good.
    GraphqlResponse,
    /// `application/json`: 200 for everything that is GraphQL at all, since old clients look no further otherwise.
    Json,
}

impl Form {
    /// The Content-Type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// What the client wants most; `None` when it accepts neither.
pub fn negotiate(headers: &HeaderMap) -> Option<Form> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Some(Form::Json);
    }
    let mut best: Option<(u16, Form)> = None;
    let ranges = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts.next().map(str::to_ascii_lowercase).as_deref() {
            Some("application/graphql-response+json") => Form::GraphqlResponse,
            Some("application/json" | "application/*" | "*/*") => Form::Json,
            _ => continue,
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Some(1_000), thousandths);
        let quality = quality.unwrap_or(0);
        // Of equals the one that is named first wins.
        if quality > 0 && best.is_none_or(|(so_far, _)| quality > so_far) {
            best = Some((quality, form));
        }
    }
    best.map(|(_, form)| form)
}

/// Whether the body is JSON in UTF-8. A body without a type is not taken for JSON: a foreign page's form could send it.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some("application/json")
        && parts
            .filter_map(|part| part.strip_prefix("charset=").map(str::to_owned))
            .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"))
}

/// A quality such as `0.8`, in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<3}");
    let value = whole.parse::<u16>().ok()?.checked_mul(1_000)? + digits.get(..3)?.parse::<u16>().ok()?;
    (value <= 1_000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().expect("a header"));
        negotiate(&headers)
    }

    #[test]
    fn the_client_chooses_the_form() {
        assert_eq!(negotiate(&HeaderMap::new()), Some(Form::Json));
        for (value, form) in [
            ("*/*", Some(Form::Json)),
            ("application/json", Some(Form::Json)),
            ("application/json; charset=utf-8", Some(Form::Json)),
            ("application/graphql-response+json", Some(Form::GraphqlResponse)),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some(Form::GraphqlResponse),
            ),
            (
                "application/graphql-response+json;q=0.5, application/json;q=0.9",
                Some(Form::Json),
            ),
            (
                "application/graphql-response+json; charset=utf-8, */*",
                Some(Form::GraphqlResponse),
            ),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(accept(value), form, "{value}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        for (value, json) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=UTF-8", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().expect("a header"));
            assert_eq!(is_json(&headers), json, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
