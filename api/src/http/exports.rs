//! Files made of what the database holds. They are streamed: a page of rows is read when the one before it was sent.
//!
//! | Path | File |
//! |---|---|
//! | `/exports/audit-log.csv`, `/exports/platform/audit-log.csv` | `audit_log` |
//! | `/exports/tenant.zip` | `tenant` |

mod audit_log;
mod slots;
mod tenant;

pub use audit_log::{of_platform as platform_audit_log, of_tenant as audit_log};
pub use slots::ExportSlots;
pub use tenant::archive as tenant_archive;

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures::stream;
use sea_orm::DbErr;
use tokio::sync::mpsc;

use super::{Services, caller};
use crate::tenants::{AuthenticationError, Principal};

/// How many pieces wait to be sent.
const WAITING: usize = 4;
/// A client that takes nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A piece of a file, or why it ends before its time.
type Piece = io::Result<Bytes>;

/// Hands a piece to the client; an error when the client is gone or takes nothing.
async fn hand_on(pieces: &mpsc::Sender<Piece>, piece: Piece) -> io::Result<()> {
    match tokio::time::timeout(PATIENCE, pieces.send(piece)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone")),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")),
    }
}

/// What is sent, and where to put it.
fn body() -> (mpsc::Sender<Piece>, Body) {
    let (pieces, waiting) = mpsc::channel(WAITING);
    let waiting = stream::unfold(waiting, |mut waiting: mpsc::Receiver<Piece>| async move {
        Some((waiting.recv().await?, waiting))
    });
    (pieces, Body::from_stream(waiting))
}

/// Who asks for a file, or the answer that it is not given.
async fn reader(services: &Services, request: &Parts) -> Result<Principal, Response> {
    match caller::authenticate_reader(services, request).await {
        Ok(caller) => Ok(caller),
        Err(AuthenticationError::Refused) => Err(refuse(StatusCode::UNAUTHORIZED, "Log in first.\n")),
        Err(AuthenticationError::Database(error)) => Err(broken(&error)),
    }
}

/// A file to be kept, not shown.
fn file(name: &str, kind: &'static str, body: Body) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

fn refuse(status: StatusCode, message: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], message).into_response()
}

fn forbidden() -> Response {
    refuse(StatusCode::FORBIDDEN, "Your role does not allow this.\n")
}

fn broken(error: &DbErr) -> Response {
    tracing::error!(%error, "an export failed");
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on the server. It has been logged.\n",
    )
}
