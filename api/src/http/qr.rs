//! A device's code as a picture, and as a page to print or to show.

use std::fmt::Write;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use entity::DeviceId;

use super::{Services, Shared, caller, console};
use crate::{devices::pairing::Qr, graphql::Refusal, pictures, tenants::AuthenticationError};

/// `/devices/{id}/qr.png`.
pub async fn png(State(services): State<Shared>, Path(id): Path<String>, request: Parts) -> Response {
    match find(&services, &id, &request).await {
        Ok((_, qr)) => picture("image/png", pictures::png(&qr.text)),
        Err(response) => response,
    }
}

/// `/devices/{id}/qr.svg`.
pub async fn svg(State(services): State<Shared>, Path(id): Path<String>, request: Parts) -> Response {
    match find(&services, &id, &request).await {
        Ok((_, qr)) => picture("image/svg+xml", pictures::svg(&qr.text).map(String::into_bytes)),
        Err(response) => response,
    }
}

/// `/devices/{id}/qr`: loads itself anew shortly before the code ends.
pub async fn page(State(services): State<Shared>, Path(id): Path<String>, request: Parts) -> Response {
    let (name, qr) = match find(&services, &id, &request).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Some(svg) = pictures::svg(&qr.text) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let seconds = (qr.expires_at - services.clock.now()).num_seconds().clamp(2, 60);
    // An SVG of its own begins with a line that does not belong inside a page.
    let svg = svg.find("<svg").map_or(svg.as_str(), |start| &svg[start..]);
    let html = PAGE
        .replace("{name}", &escape(&name))
        .replace("{seconds}", &seconds.to_string())
        .replace("{svg}", svg);
    let mut response = console::page(StatusCode::OK, html.into_bytes(), None);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="refresh" content="{seconds}">
    <title>{name} · Kabar</title>
    <style>
      body { font: 18px/1.5 system-ui, sans-serif; text-align: center; margin: 8vh 1rem; }
      svg { width: min(80vw, 24rem); height: auto; background: #fff; }
    </style>
  </head>
  <body>
    <h1>{name}</h1>
    {svg}
    <p>WhatsApp › Linked devices › Link a device</p>
  </body>
</html>
"#;

/// The device's name and code, for a caller who may see it.
async fn find(services: &Services, id: &str, request: &Parts) -> Result<(String, Qr), Response> {
    let principal = match caller::authenticate_reader(services, request).await {
        Ok(principal) => principal,
        Err(AuthenticationError::Refused) => return Err(refuse(StatusCode::UNAUTHORIZED, "Log in first.\n")),
        Err(error) => return Err(broken(&error.to_string())),
    };
    let none = || refuse(StatusCode::NOT_FOUND, "There is no code to scan.\n");
    let id: DeviceId = id.parse().map_err(|_| none())?;
    match services.devices.get(&principal, id).await {
        Ok(device) => services.devices.qr(id).map(|qr| (device.name, qr)).ok_or_else(none),
        Err(Refusal::User(_)) => Err(none()),
        Err(Refusal::Fault(fault)) => Err(broken(&format!("{fault:?}"))),
    }
}

fn picture(kind: &'static str, bytes: Option<Vec<u8>>) -> Response {
    let Some(bytes) = bytes else {
        return broken("a code could not be drawn");
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    (headers, bytes).into_response()
}

fn refuse(status: StatusCode, message: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], message).into_response()
}

fn broken(cause: &str) -> Response {
    tracing::error!(cause, "a code could not be shown");
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on the server. It has been logged.\n",
    )
}

/// A text as part of a page.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String never fails.
                let _ = write!(escaped, "&#{};", u32::from(letter));
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_bring_markup_along() {
        assert_eq!(escape("<b> & \"x\""), "&#60;b&#62; &#38; &#34;x&#34;");
    }
}
