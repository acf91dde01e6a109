//! How a request is refused.
//!
//! Expected outcomes are [`UserError`]s in the payload. Authentication, authorization, throttling and faults are
//! top-level errors with a code in `extensions`.
//!
//! **Invariant:** [`GqlError`] has no `Display`, so `?` cannot carry the text of a database error to a caller. One `From`
//! chooses the words.

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensions, SimpleObject};
use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::store::{Stopped, is_taken};

/// Why something was refused. Stable: clients switch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ErrorCode {
    /// A value is missing, too long or malformed; `field` says which.
    InvalidInput,
    /// The text is no phone number that can be dialled.
    InvalidPhoneNumber,
    /// There is nothing with this id, or it belongs to somebody else.
    NotFound,
    /// Something with this name or key exists.
    AlreadyExists,
    /// The object is in a state that does not allow this.
    Conflict,
    /// Your role or scopes do not allow this.
    Forbidden,
    /// Email or password is wrong.
    InvalidCredentials,
    /// The password is right; a code of the authenticator app is wanted, too.
    SecondFactorRequired,
    /// The code is wrong, too old, or was used already.
    InvalidCode,
    /// The session has ended or expired: log in again.
    SessionExpired,
    /// The device is not connected.
    NotConnected,
    /// The device is not linked to a WhatsApp account.
    NotLinked,
    /// The device is linked already.
    AlreadyLinked,
    /// The number has no WhatsApp account.
    NotOnWhatsapp,
    /// The recipient cannot be written to from this account.
    RecipientBlocked,
    /// WhatsApp does not let this account write to new people for now.
    ReachoutTimelock,
    /// WhatsApp refused; the message says why.
    Rejected,
    /// What was waited for did not happen in time. What was asked for still goes on.
    TimedOut,
    /// A limit is reached; `details` has the meter, its `holder` (TENANT or API_TOKEN), `limit` and `used`, `retryAt` when
    /// it begins anew.
    QuotaExceeded,
    /// Too many in too short a time; `retryAt` says when to try again.
    RateLimited,
    /// The sandbox network refused.
    Sandbox,
}

/// An expected refusal of a mutation.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// Stable; clients switch on it.
    pub code: ErrorCode,
    /// For people, in English.
    pub message: String,
    /// Path into `input`, when one field is to blame.
    pub field: Option<Vec<String>>,
    /// When trying again makes sense.
    pub retry_at: Option<DateTime<Utc>>,
    /// Figures that belong to the refusal, such as `{"limit": 500, "used": 500}`.
    pub details: Option<serde_json::Value>,
}

impl UserError {
    /// A refusal that no single field is to blame for.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            retry_at: None,
            details: None,
        }
    }

    /// A malformed field: `path` is dotted, as in `to.phone`.
    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message).at(path)
    }

    /// Nothing with this id, or somebody else's.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {what}."))
    }

    /// Names the field: `path` is dotted, as in `to.phone`.
    pub fn at(mut self, path: &str) -> Self {
        self.field = Some(path.split('.').map(str::to_owned).collect());
        self
    }
}

/// A top-level error.
#[derive(Clone, Debug)]
pub struct GqlError(Fault);

/// What a top-level error is.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nobody is logged in, or the token is expired, forged or revoked.
    Unauthenticated,
    /// The caller may not do this at all.
    Forbidden,
    /// The tenant is suspended: it may only read.
    TenantSuspended,
    /// Too many requests; try again at the given moment.
    RateLimited { retry_at: DateTime<Utc> },
    /// An argument that the schema's types cannot rule out.
    BadRequest(String),
    /// The database or another part failed. The cause is logged, never told.
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

impl GqlError {
    /// The caller is not logged in.
    pub fn unauthenticated() -> Self {
        Self(Fault::Unauthenticated)
    }

    /// The caller may not do this.
    pub fn forbidden() -> Self {
        Self(Fault::Forbidden)
    }

    /// An argument that cannot be used.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self(Fault::BadRequest(message.into()))
    }

    /// A part of the server failed.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Fault::Internal(cause.into().into()))
    }
}

impl From<Fault> for GqlError {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl From<DbErr> for GqlError {
    fn from(error: DbErr) -> Self {
        Self::internal(error)
    }
}

impl From<GqlError> for async_graphql::Error {
    #[expect(clippy::disallowed_methods, reason = "the one place that words top-level errors")]
    fn from(GqlError(fault): GqlError) -> Self {
        let (code, message) = match &fault {
            Fault::Unauthenticated => (
                "UNAUTHENTICATED",
                "Log in first: the token is missing, expired or revoked.".into(),
            ),
            Fault::Forbidden => ("FORBIDDEN", "Your role does not allow this.".into()),
            Fault::TenantSuspended => (
                "TENANT_SUSPENDED",
                "This tenant is suspended: you can read, but not send or change anything. Ask the platform's operator."
                    .into(),
            ),
            Fault::RateLimited { .. } => ("RATE_LIMITED", "Too many requests.".into()),
            Fault::BadRequest(message) => ("BAD_REQUEST", message.clone()),
            Fault::Internal(cause) => {
                tracing::error!(error = %cause, "a request failed");
                (
                    "INTERNAL",
                    "Something went wrong on the server. It has been logged.".into(),
                )
            }
        };
        async_graphql::Error::new(message).extend_with(|_, extensions| {
            extensions.set("code", code);
            if let Fault::RateLimited { retry_at } = &fault {
                extensions.set("retryAt", retry_at.to_rfc3339());
            }
        })
    }
}

/// How a service says no: an expected outcome, or a top-level error.
#[derive(Debug)]
pub enum Refusal {
    /// Goes into the payload's `userErrors`.
    User(Vec<UserError>),
    /// Becomes a top-level error.
    Fault(GqlError),
}

impl From<UserError> for Refusal {
    fn from(error: UserError) -> Self {
        Self::User(vec![error])
    }
}

impl From<GqlError> for Refusal {
    fn from(error: GqlError) -> Self {
        Self::Fault(error)
    }
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        Self::Fault(error.into())
    }
}

impl Refusal {
    /// What a failed write means to the caller: `taken`, when something that must be unique is there already.
    pub fn if_taken(error: DbErr, taken: UserError) -> Self {
        if is_taken(&error) { taken.into() } else { error.into() }
    }
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Self {
        Self::Fault(GqlError::internal(stopped))
    }
}

/// What a mutation answers: what it changed, or why it did not.
pub trait Payload<T> {
    /// It was done.
    fn accepted(value: T) -> Self;
    /// It was refused.
    fn refused(errors: Vec<UserError>) -> Self;
}

/// A payload that tells only whether it was done.
pub trait Outcome {
    /// `success`, and why not.
    fn new(success: bool, user_errors: Vec<UserError>) -> Self;
}

impl<P: Outcome> Payload<()> for P {
    fn accepted((): ()) -> Self {
        Self::new(true, Vec::new())
    }

    fn refused(errors: Vec<UserError>) -> Self {
        Self::new(false, errors)
    }
}

/// Turns a service's result into a mutation's payload.
pub fn answer<T, P: Payload<T>>(result: Result<T, Refusal>) -> Result<P, GqlError> {
    match result {
        Ok(value) => Ok(P::accepted(value)),
        Err(Refusal::User(errors)) => Ok(P::refused(errors)),
        Err(Refusal::Fault(error)) => Err(error),
    }
}
