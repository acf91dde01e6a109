//! Files made of what the database holds. They are streamed: a page of rows is read when the one before it was sent.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::{AuditEntryId, audit_entry};
use futures::stream;
use sea_orm::{ActiveEnum, DbErr};
use serde::Deserialize;

use super::{Shared, caller};
use crate::{
    audit::{self, Action, AuditSearch, Entry},
    graphql::pagination::Page,
    store::TenantScope,
    tenants::{AuthenticationError, Permission},
};

/// Rows that are read at once.
const ROWS: u64 = 500;

/// Which entries are wanted, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditParameters {
    /// Names of actions, with commas.
    action: Option<String>,
    actor_id: Option<String>,
    object_id: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

/// `/exports/audit-log.csv`: the tenant's audit log, newest first. That it was exported stands in it.
pub async fn audit_log(
    State(services): State<Shared>,
    parameters: Result<Query<AuditParameters>, axum::extract::rejection::QueryRejection>,
    request: Parts,
) -> Response {
    let caller = match caller::authenticate_reader(&services, &request).await {
        Ok(caller) => caller,
        Err(AuthenticationError::Refused) => return refuse(StatusCode::UNAUTHORIZED, "Log in first.\n"),
        Err(AuthenticationError::Database(error)) => return broken(&error),
    };
    if caller.require(Permission::ReadAuditLog).is_err() {
        return refuse(StatusCode::FORBIDDEN, "Your role does not allow this.\n");
    }
    let Some(search) = parameters.ok().and_then(|Query(parameters)| search(parameters)) else {
        let message = "The filter has action, actorId, objectId, from and to; times are RFC 3339.\n";
        return refuse(StatusCode::BAD_REQUEST, message);
    };
    let scope = services.store.scope(&caller);
    let noted = async {
        let tx = scope.begin().await?;
        let entry = Entry::without_object(Action::AuditLogExported);
        audit::record(&tx, services.clock.now(), &caller, entry).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        return broken(&error);
    }
    csv_file("audit-log.csv", Body::from_stream(rows(scope, search)))
}

fn search(parameters: AuditParameters) -> Option<AuditSearch> {
    let names = parameters.action.as_deref().unwrap_or_default().split(',');
    let mut actions = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let name = name.to_ascii_lowercase();
        actions.push(*Action::ALL.iter().find(|action| action.as_str() == name)?);
    }
    Some(AuditSearch {
        actions,
        actor_id: parameters.actor_id.filter(|id| !id.is_empty()),
        object_id: parameters.object_id.filter(|id| !id.is_empty()),
        from: parameters.from,
        to: parameters.to,
    })
}

/// Where the export stands.
enum At {
    Head,
    After(Option<AuditEntryId>),
    End,
}

fn rows(scope: TenantScope, search: AuditSearch) -> impl futures::Stream<Item = Result<Bytes, DbErr>> {
    let search = Arc::new(search);
    stream::try_unfold(At::Head, move |at| {
        let (scope, search) = (scope.clone(), Arc::clone(&search));
        async move {
            let after = match at {
                At::Head => return Ok(Some((lines([HEAD.map(str::to_owned)]), At::After(None)))),
                At::After(after) => after,
                At::End => return Ok(None),
            };
            let page = Page {
                limit: ROWS,
                backwards: false,
                after,
                before: None,
            };
            let found = audit::list(&scope, &search, &page).await?;
            let next = match found.rows.last() {
                Some(last) if found.has_next => At::After(Some(last.id)),
                _ => At::End,
            };
            Ok(Some((lines(found.rows.into_iter().map(line)), next)))
        }
    })
}

const HEAD: [&str; 12] = [
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "user_agent",
    "action",
    "object_id",
    "object_name",
    "before",
    "after",
    "id",
];

fn line(row: audit_entry::Model) -> [String; 12] {
    let json = |value: Option<serde_json::Value>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        row.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        row.actor_kind.to_value(),
        row.actor_id.unwrap_or_default(),
        row.actor_name.unwrap_or_default(),
        row.address.unwrap_or_default(),
        row.user_agent.unwrap_or_default(),
        row.action,
        row.object_id.unwrap_or_default(),
        row.object_name.unwrap_or_default(),
        json(row.before),
        json(row.after),
        row.id.to_string(),
    ]
}

fn lines<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing into memory never fails.
        let _ = writer.write_record(row.iter().map(|cell| harmless(cell)));
    }
    writer.into_inner().unwrap_or_default().into()
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn csv_file(name: &str, body: Body) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers: [(HeaderName, HeaderValue); 3] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

fn refuse(status: StatusCode, message: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], message).into_response()
}

fn broken(error: &DbErr) -> Response {
    tracing::error!(%error, "an export failed");
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on the server. It has been logged.\n",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let text = lines([["=1+1".to_owned(), "a,\"b\"".to_owned()]]);
        assert_eq!(text, Bytes::from_static(b"'=1+1,\"a,\"\"b\"\"\"\n"));
    }

    #[test]
    fn filters_are_read_and_unknown_actions_are_refused() {
        let of = |action: &str| {
            search(AuditParameters {
                action: Some(action.to_owned()),
                ..AuditParameters::default()
            })
        };
        let found = of("DEVICE_CREATED, logged_in").expect("both are known");
        assert_eq!(found.actions, [Action::DeviceCreated, Action::LoggedIn]);
        assert!(of("nothing_like_it").is_none());
    }
}
