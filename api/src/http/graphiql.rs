//! `/graphiql`: an editor for queries, which needs nothing from anywhere else.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{console, security};

macro_rules! assets {
    ($($name:literal: $kind:literal),* $(,)?) => {
        [$(($name, $kind, include_bytes!(concat!("../../assets/graphiql/", $name)))),*]
    };
}

const PAGE: &str = include_str!("../../assets/graphiql/page.html");

/// GraphiQL and what it stands on, as published; licences lie beside them.
static ASSETS: [(&str, &str, &[u8]); 7] = assets! {
    "graphiql.min.css": "text/css; charset=utf-8",
    "graphiql.min.js": "text/javascript; charset=utf-8",
    "graphql-ws.min.js": "text/javascript; charset=utf-8",
    "react.production.min.js": "text/javascript; charset=utf-8",
    "react-dom.production.min.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
};

/// The page. GraphiQL writes styles into it while it runs, so they can't be named by hash.
pub async fn page() -> Response {
    let mut response = console::page(StatusCode::OK, PAGE.as_bytes().to_vec(), None);
    if let Ok(policy) = HeaderValue::from_str(&security::page_policy("", " 'unsafe-inline'")) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A file of the page.
pub async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, bytes)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(*bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // The names carry no version: an hour is short enough after an update.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    response
}
