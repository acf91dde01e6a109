//! `POST /graphql`: one operation in, one answer out.

use std::sync::Arc;

use async_graphql::{Request, parser::types::OperationType};
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode, header},
    response::IntoResponse,
};

use super::{
    Services, Shared,
    admission::{self, Ready},
    caller::{self, Place},
    cookies,
    negotiation::{self, Form},
    response::Envelope,
    toll,
};
use crate::{graphql::context::Transport, rates::Standing};

/// Answers a GraphQL request.
pub async fn post(State(services): State<Shared>, request: HttpRequest<Body>) -> HttpResponse<Body> {
    let (parts, body) = request.into_parts();
    let Some(form) = negotiation::negotiate(&parts.headers) else {
        return text(
            StatusCode::NOT_ACCEPTABLE,
            "Accept application/graphql-response+json or application/json.",
        );
    };
    if !negotiation::is_json(&parts.headers) {
        return text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the request as application/json in UTF-8.",
        );
    }
    let Ok(body) = to_bytes(body, services.config.server.max_body_bytes).await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            form,
            &services,
            "The request is too large.",
        );
    };
    let request = match read(&body) {
        Ok(request) => request,
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, form, &services, &problem),
    };
    let place = Place::of(&parts.extensions, &parts.headers, &services.config);
    let transport = Arc::new(caller::transport(&place, &parts.headers, &services.config));
    let (envelope, standing) = run(&services, request, caller::bearer(&parts.headers), &transport).await;

    let now = services.clock.now();
    let mut response = envelope.into_http(form, now);
    if let Some(standing) = standing {
        toll::write_headers(response.headers_mut(), &standing, now);
    }
    if let Some(change) = transport.take_cookie_change()
        && let Some(cookie) = cookies::set_cookie(&change, place.https, now)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Answers other methods.
pub async fn only_post() -> HttpResponse<Body> {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "GraphQL requests are sent by POST; see /graphiql.",
    );
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// Reads the body. The library would also take a list of requests; limits are per request, so lists are not offered.
fn read(body: &[u8]) -> Result<Request, String> {
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("The request is not valid JSON: {error}."))?;
    let Some(fields) = value.as_object() else {
        return Err("The request must be a JSON object.".to_owned());
    };
    let persisted = fields
        .get("extensions")
        .and_then(|extensions| extensions.get("persistedQuery"));
    match fields.get("query") {
        Some(serde_json::Value::String(_)) => {}
        // It was sent before: its hash stands in its place.
        None | Some(serde_json::Value::Null) if persisted.is_some() => {}
        _ => return Err("`query` must be a text.".to_owned()),
    }
    let is_map = |name: &str| {
        fields
            .get(name)
            .is_none_or(|value| value.is_object() || value.is_null())
    };
    if !is_map("variables") || !is_map("extensions") {
        return Err("`variables` and `extensions` must be objects.".to_owned());
    }
    if !fields
        .get("operationName")
        .is_none_or(|value| value.is_string() || value.is_null())
    {
        return Err("`operationName` must be a text.".to_owned());
    }
    let without_null = fields.iter().filter(|(_, value)| !value.is_null());
    let value = without_null
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    serde_json::from_value(serde_json::Value::Object(value)).map_err(|_| "The request is malformed.".to_owned())
}

/// Answers a request, and tells how much is left of the limit that it counted for.
async fn run(
    services: &Services,
    request: Request,
    token: Option<&str>,
    transport: &Arc<Transport>,
) -> (Envelope, Option<Standing>) {
    let principal = match caller::authenticate(services, token, &transport.origin).await {
        Ok(principal) => principal,
        Err(error) => {
            tracing::error!(%error, "callers cannot be authenticated");
            let text = "Something went wrong on the server. It has been logged.";
            return (Envelope::refused_with("INTERNAL", text), None);
        }
    };
    // A stranger pays first; a caller when it is known what the operation may cost.
    let entry = match principal {
        Some(_) => None,
        None => match toll::charge_stranger(services, transport.origin.address) {
            Ok(paid) => Some(paid),
            Err(limited) => return (Envelope::limited(&limited), Some(limited.standing)),
        },
    };
    let Ready { request, kind, cost } = match admission::admit(services, request, principal.as_ref(), transport) {
        Ok(ready) => ready,
        Err(refused) => return (Envelope::refused(refused), entry.and_then(|paid| paid.standing())),
    };
    metrics::histogram!("kabar_graphql_cost").record(u32::try_from(cost).unwrap_or(u32::MAX));
    if kind == OperationType::Subscription {
        let text = "Subscriptions run over the websocket at /graphql/ws.";
        return (Envelope::refused_with("BAD_REQUEST", text), None);
    }
    let paid = match (entry, &principal) {
        (Some(paid), _) => paid.for_cost(cost),
        (None, Some(caller)) => match toll::charge_caller(services, caller, cost) {
            Ok(paid) => paid,
            Err(limited) => return (Envelope::limited(&limited), Some(limited.standing)),
        },
        (None, None) => return (Envelope::refused(admission::unauthenticated()), None),
    };
    let executed = services.run(request, kind);
    let envelope = match tokio::time::timeout(services.config.server.request_timeout, executed).await {
        Ok(response) => Envelope::of(response),
        Err(_) => Envelope::refused_with("TIMED_OUT", "The request took too long and was given up."),
    };
    let paid = if transport.is_welcome() {
        paid.forgive(&services.windows)
    } else {
        paid
    };
    let cost = paid.settle(&services.windows, envelope.answered());
    (envelope.with_cost(&cost), cost.standing())
}

fn refuse(status: StatusCode, form: Form, services: &Services, message: &str) -> HttpResponse<Body> {
    let mut response = Envelope::refused_with("BAD_REQUEST", message).into_http(form, services.clock.now());
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, message: &'static str) -> HttpResponse<Body> {
    (status, message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_strictly() {
        assert!(read(br#"{"query":"{a}"}"#).is_ok());
        assert!(read(br#"{"extensions":{"persistedQuery":{}}}"#).is_ok());
        assert!(read(br#"{"query":"{a}","variables":null,"operationName":null,"extensions":null}"#).is_ok());
        for body in [
            r#"{"query":"#,
            "[]",
            "{}",
            r#"[{"query":"{a}"}]"#,
            r#"{"query":1}"#,
            r#"{"query":1,"extensions":{"persistedQuery":{}}}"#,
            r#"{"query":"{a}","variables":"x"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":{}}"#,
            r#"{"query":"{a}","extensions":7}"#,
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
