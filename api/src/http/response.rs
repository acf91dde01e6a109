//! How a GraphQL answer is written down, and its status.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use axum::{
    body::Body,
    http::{HeaderValue, Response as HttpResponse, StatusCode, header},
};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{negotiation::Form, toll::Cost};
use crate::{
    graphql::limits::{Refused, answered},
    rates::Limited,
};

/// An answer as it is sent. A request that was never run has no `data` at all.
#[derive(Serialize)]
pub struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Value>,
}

impl Envelope {
    /// What GraphQL answered; every error gets a code.
    pub fn of(response: Response) -> Self {
        let Response {
            data,
            extensions,
            mut errors,
            ..
        } = response;
        // Errors of execution know their field. Without any, the request was refused before it was run.
        let was_run = errors.iter().any(|error| !error.path.is_empty()) || errors.is_empty() || data != Value::Null;
        let code = if was_run {
            "BAD_REQUEST"
        } else {
            "GRAPHQL_VALIDATION_FAILED"
        };
        for error in &mut errors {
            let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
            if extensions.get("code").is_none() {
                extensions.set("code", code);
            }
        }
        let extensions = (!extensions.is_empty()).then(|| {
            Value::Object(
                extensions
                    .into_iter()
                    .map(|(name, value)| (async_graphql::Name::new(name), value))
                    .collect(),
            )
        });
        Self {
            data: was_run.then_some(data),
            errors,
            extensions,
        }
    }

    /// A request that was refused before it was run.
    pub fn refused(refused: Refused) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", refused.code);
        let mut error = ServerError::new(refused.message, refused.position);
        error.extensions = Some(extensions);
        Self {
            data: None,
            errors: vec![error],
            extensions: None,
        }
    }

    /// The same for texts.
    pub fn refused_with(code: &'static str, message: impl Into<String>) -> Self {
        Self::refused(Refused {
            code,
            message: message.into(),
            position: None,
        })
    }

    /// A request that came too early.
    pub fn limited(limited: &Limited) -> Self {
        let mut envelope = Self::refused_with("RATE_LIMITED", "Too many requests: wait until retryAt.");
        let extensions = envelope.errors.iter_mut().find_map(|error| error.extensions.as_mut());
        if let Some(extensions) = extensions {
            extensions.set("limit", limited.standing.limit);
            extensions.set("used", limited.used);
            extensions.set("requested", limited.asked);
            extensions.set("retryAt", limited.standing.resets_at.to_rfc3339());
        }
        envelope
    }

    /// How many fields the answer holds.
    pub fn answered(&self) -> u64 {
        self.data.as_ref().map_or(0, answered)
    }

    /// Tells what the request has cost, in `extensions.cost`.
    pub fn with_cost(mut self, cost: &Cost) -> Self {
        let mut extensions = match self.extensions.take() {
            Some(Value::Object(extensions)) => extensions,
            _ => std::iter::empty().collect(),
        };
        extensions.insert(async_graphql::Name::new("cost"), cost.extension());
        self.extensions = Some(Value::Object(extensions));
        self
    }

    /// Whether the request was refused before it was run.
    pub fn is_refusal(&self) -> bool {
        self.data.is_none()
    }

    /// The errors, for the websocket's own message about them.
    pub fn into_errors(self) -> Vec<ServerError> {
        self.errors
    }

    /// The first error's code.
    pub fn code(&self) -> Option<String> {
        self.errors.first().and_then(|error| extension(error, "code"))
    }

    /// Writes it down.
    pub fn into_http(self, form: Form, now: DateTime<Utc>) -> HttpResponse<Body> {
        let status = match form {
            Form::GraphqlResponse if self.is_refusal() => self.refusal_status(),
            _ => StatusCode::OK,
        };
        let retry_after = self.retry_after(now);
        let body = serde_json::to_vec(&self).unwrap_or_else(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            br#"{"errors":[{"message":"Something went wrong on the server.","extensions":{"code":"INTERNAL"}}]}"#
                .to_vec()
        });
        let mut response = HttpResponse::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn refusal_status(&self) -> StatusCode {
        match self.code().as_deref() {
            Some("UNAUTHENTICATED") => StatusCode::UNAUTHORIZED,
            Some("RATE_LIMITED") => StatusCode::TOO_MANY_REQUESTS,
            Some("INTERNAL") => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn retry_after(&self, now: DateTime<Utc>) -> Option<u64> {
        let at = self.errors.iter().find_map(|error| extension(error, "retryAt"))?;
        let at = DateTime::parse_from_rfc3339(&at).ok()?.with_timezone(&Utc);
        Some(u64::try_from((at - now).num_seconds()).unwrap_or(0) + 1)
    }
}

fn extension(error: &ServerError, name: &str) -> Option<String> {
    match error.extensions.as_ref()?.get(name)? {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{PathSegment, value};

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    fn status(envelope: Envelope, form: Form) -> u16 {
        envelope.into_http(form, now()).status().as_u16()
    }

    #[test]
    fn refusals_have_no_data_and_a_status_only_in_the_new_form() {
        let refused = || Envelope::of(Response::from_errors(vec![ServerError::new("no such field", None)]));
        assert_eq!(
            serde_json::to_string(&refused()).expect("JSON"),
            r#"{"errors":[{"message":"no such field","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#
        );
        assert_eq!(status(refused(), Form::Json), 200);
        assert_eq!(status(refused(), Form::GraphqlResponse), 400);
        let stranger = || Envelope::refused_with("UNAUTHENTICATED", "Log in first.");
        assert_eq!(status(stranger(), Form::GraphqlResponse), 401);
        assert_eq!(status(stranger(), Form::Json), 200);
    }

    #[test]
    fn errors_of_fields_keep_the_data() {
        let mut error = ServerError::new("no", None);
        error.path = vec![PathSegment::Field("a".to_owned())];
        let mut response = Response::new(value!({"a": null}));
        response.errors = vec![error];
        let envelope = Envelope::of(response);
        assert!(!envelope.is_refusal());
        assert_eq!(envelope.code().as_deref(), Some("BAD_REQUEST"));
        assert_eq!(status(envelope, Form::GraphqlResponse), 200);
    }

    #[test]
    fn a_moment_to_retry_becomes_a_header() {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", "RATE_LIMITED");
        extensions.set("retryAt", (now() + chrono::TimeDelta::seconds(59)).to_rfc3339());
        let mut error = ServerError::new("slow down", None);
        error.extensions = Some(extensions);
        let response = Envelope::of(Response::from_errors(vec![error])).into_http(Form::Json, now());
        assert_eq!(
            response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()),
            Some("60")
        );
    }
}
