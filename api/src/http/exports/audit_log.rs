//! Audit logs as CSV: a tenant's own, and for operators everybody's.

use std::io;

use axum::{
    body::Bytes,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, request::Parts},
    response::Response,
};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::{AuditEntryId, audit_entry};
use sea_orm::{ActiveEnum, DbErr};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{super::Shared, Piece, body, broken, file, forbidden, hand_on, reader, refuse, slots::ExportSlot};
use crate::{
    audit::{self, Action, AuditSearch, Entry, Whose},
    graphql::pagination::{Page, Rows},
    store::{Reason, ScopeOrigin, SystemScope, TenantScope},
    tenants::Permission,
};

/// Rows that are read at once.
const ROWS: u64 = 500;

/// Which entries are wanted, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditParameters {
    /// For operators: whose log; `none` is the platform's own.
    tenant_id: Option<String>,
    /// Names of actions, with commas.
    action: Option<String>,
    actor_id: Option<String>,
    object_id: Option<String>,
    grant_id: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

/// `/exports/audit-log.csv`: the tenant's audit log, newest first. That it was exported stands in it.
pub async fn of_tenant(
    State(services): State<Shared>,
    parameters: Result<Query<AuditParameters>, QueryRejection>,
    request: Parts,
) -> Response {
    let caller = match reader(&services, &request).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    if caller.require(Permission::ReadAuditLog).is_err() {
        return forbidden();
    }
    let asked = parameters.ok().map(|Query(parameters)| parameters);
    let asked = asked.filter(|asked| asked.tenant_id.is_none());
    let Some(search) = asked.and_then(search) else {
        return unreadable();
    };
    let slot = match services.exports.take(caller.tenant_id()) {
        Ok(slot) => slot,
        Err(full) => return full.answer(),
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
    csv(Source::Tenant(scope), search, slot)
}

/// `/exports/platform/audit-log.csv`: the logs of all tenants and the platform's own, newest first. For operators.
pub async fn of_platform(
    State(services): State<Shared>,
    parameters: Result<Query<AuditParameters>, QueryRejection>,
    request: Parts,
) -> Response {
    let caller = match reader(&services, &request).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    if caller.require_operator().is_err() {
        return forbidden();
    }
    let asked = parameters.ok().map(|Query(parameters)| parameters);
    let Some((whose, search)) = asked.and_then(|asked| Some((whose(asked.tenant_id.as_deref())?, search(asked)?)))
    else {
        return unreadable();
    };
    let slot = match services.exports.take(caller.tenant_id()) {
        Ok(slot) => slot,
        Err(full) => return full.answer(),
    };
    if services.platform.note_audit_export(&caller, whose).await.is_err() {
        return refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The export could not be written down, so it is not given.\n",
        );
    }
    csv(
        Source::Everybody(services.store.system(Reason::Platform), whose),
        search,
        slot,
    )
}

fn unreadable() -> Response {
    let message = "The filter has action, actorId, objectId, grantId, from and to, for operators also tenantId; times are \
                   RFC 3339.\n";
    refuse(StatusCode::BAD_REQUEST, message)
}

fn whose(tenant: Option<&str>) -> Option<Whose> {
    match tenant {
        None | Some("") => Some(Whose::Everybodys),
        Some("none") => Some(Whose::Platforms),
        Some(id) => id.parse().ok().map(Whose::Tenants),
    }
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
        grant_id: parameters.grant_id.filter(|id| !id.is_empty()),
        from: parameters.from,
        to: parameters.to,
    })
}

/// Where rows come from.
enum Source {
    Tenant(TenantScope),
    Everybody(SystemScope, Whose),
}

impl Source {
    async fn page(&self, search: &AuditSearch, page: &Page<AuditEntryId>) -> Result<Rows<audit_entry::Model>, DbErr> {
        match self {
            Self::Tenant(scope) => audit::list(scope, search, page).await,
            Self::Everybody(system, whose) => audit::list_across(system, *whose, search, page).await,
        }
    }
}

fn csv(source: Source, search: AuditSearch, slot: ExportSlot) -> Response {
    let (pieces, body) = body();
    tokio::spawn(async move {
        if let Err(error) = write(&source, &search, &pieces).await {
            tracing::warn!(%error, "an export ended before its time");
            // The client may be gone, or take nothing.
            let _ = pieces.try_send(Err(error));
        }
        drop(slot);
    });
    file("audit-log.csv", "text/csv; charset=utf-8", body)
}

/// Reads a page when the one before it was taken.
async fn write(source: &Source, search: &AuditSearch, pieces: &mpsc::Sender<Piece>) -> io::Result<()> {
    hand_on(pieces, Ok(lines([HEAD.map(str::to_owned)]))).await?;
    let mut after = None;
    loop {
        let page = Page {
            limit: ROWS,
            backwards: false,
            after,
            before: None,
        };
        let found = source.page(search, &page).await.map_err(io::Error::other)?;
        after = found.rows.last().filter(|_| found.has_next).map(|row| row.id);
        hand_on(pieces, Ok(lines(found.rows.into_iter().map(line)))).await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

const HEAD: [&str; 14] = [
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
    "grant_id",
    "tenant_id",
];

fn line(row: audit_entry::Model) -> [String; 14] {
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
        row.grant_id.unwrap_or_default(),
        row.tenant_id.map(|id| id.to_string()).unwrap_or_default(),
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
