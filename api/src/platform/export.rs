//! Everything a tenant owns, row by row, without its secrets.
//!
//! Which tables there are is said once, by `entity::tables`; a column of bytes (hashes, keys) or with the name of a secret
//! never leaves. `docs/export.md` is made of the same list, and a test keeps it equal.

use std::collections::HashMap;

use entity::{
    UserId, encode_base32, membership,
    tables::{TableColumn, TenantTable, tenant_row, tenant_tables},
    tenant, user_account,
};
use sea_orm::{ColumnTrait, DbErr, Order, Value};
use serde_json::{Map, json};
use tokio::sync::mpsc;

use crate::{
    audit::{self, Action, Entry},
    clock::Clock,
    store::{
        Reason, ScopeOrigin, Store, TenantScope,
        tables::{Row, is_readable},
    },
    tenants::{Permission, Principal},
};

/// Rows that are read at once.
const ROWS: u64 = 500;
/// Parts of the names of columns that are kept back, whatever they hold.
const SECRETS: [&str; 4] = ["hash", "secret", "password", "totp"];
/// Tables of numbers that mean nothing outside the server.
const INTERNAL: [&str; 1] = ["event_sequence"];

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Only owners, and operators who are let in as ADMIN, may have it.
    #[error("the caller may not export the tenant")]
    Forbidden,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// What an archive is made of.
#[derive(Debug)]
pub enum Part {
    /// What follows is in this file.
    File(String),
    /// Lines of JSON.
    Lines(Vec<u8>),
    /// That was all.
    End,
}

/// An export that may begin: it is in the audit log already.
pub struct TenantExport {
    store: Store,
    clock: Clock,
    scope: TenantScope,
    tenant: tenant::Model,
}

impl TenantExport {
    /// Checks that the caller may have it, and writes down that it was given.
    pub async fn begin(store: &Store, clock: &Clock, caller: &Principal) -> Result<Self, ExportError> {
        caller
            .require(Permission::ExportTenant)
            .map_err(|_| ExportError::Forbidden)?;
        let scope = store.scope(caller);
        let tx = scope.begin().await?;
        let tenant = tx.find::<tenant::Entity>().one().await?;
        let tenant = tenant.ok_or(ExportError::Forbidden)?;
        let told = Entry::of(Action::TenantExported, &caller.tenant_id()).named(&tenant.name);
        audit::record(&tx, clock.now(), caller, told).await?;
        tx.commit().await?;
        Ok(Self {
            store: store.clone(),
            clock: clock.clone(),
            scope,
            tenant,
        })
    }

    /// The tenant's short name.
    pub fn slug(&self) -> &str {
        &self.tenant.slug
    }

    /// Reads everything, as fast as it is taken. Without [`Part::End`] it is not everything.
    pub async fn write(self, parts: mpsc::Sender<Part>) {
        match self.tell(&parts).await {
            Ok(()) => {
                // Nobody may be there any more.
                let _ = parts.send(Part::End).await;
            }
            Err(Ended::Database(error)) => tracing::error!(%error, tenant = %self.tenant.id, "an export failed"),
            Err(Ended::Unwanted) => {}
        }
    }

    async fn tell(&self, parts: &mpsc::Sender<Part>) -> Result<(), Ended> {
        let mut counts = Map::new();
        for table in exported_tables() {
            send(parts, Part::File(format!("{}.ndjson", table.name))).await?;
            counts.insert(table.name.to_owned(), self.tell_table(&table, parts).await?.into());
        }
        send(parts, Part::File("people.ndjson".to_owned())).await?;
        counts.insert("people".to_owned(), self.tell_people(parts).await?.into());
        let manifest = json!({
            "format": 1,
            "tenantId": self.tenant.id.to_string(),
            "tenant": self.tenant.name,
            "exportedAt": self.clock.now(),
            "rows": counts,
        });
        send(parts, Part::File("manifest.json".to_owned())).await?;
        send(parts, Part::Lines(format!("{manifest:#}\n").into_bytes())).await
    }

    async fn tell_table(&self, table: &TenantTable, parts: &mpsc::Sender<Part>) -> Result<u64, Ended> {
        let columns = exported_columns(table);
        let keys: Vec<usize> = table
            .key
            .iter()
            .filter_map(|key| columns.iter().position(|column| column.name == key.name))
            .collect();
        let (mut after, mut count) = (None, 0);
        loop {
            let rows = self.scope.read_table(table, &columns, after, ROWS).await?;
            count += rows.len() as u64;
            after = rows
                .last()
                .filter(|_| rows.len() as u64 == ROWS && !keys.is_empty())
                .map(|row| keys.iter().map(|key| row[*key].clone()).collect());
            if !rows.is_empty() {
                send(parts, Part::Lines(lines(table, &columns, rows))).await?;
            }
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    /// Who the members are: their accounts belong to themselves, so they are in no table of the tenant.
    async fn tell_people(&self, parts: &mpsc::Sender<Part>) -> Result<u64, Ended> {
        use membership::Column;
        let (mut after, mut count) = (None, 0);
        loop {
            let mut query = self.scope.find::<membership::Entity>().order_by(Column::Id, Order::Asc);
            if let Some(after) = after {
                query = query.filter(Column::Id.gt(after));
            }
            let members = query.limit(ROWS).all().await?;
            let Some(last) = members.last() else { return Ok(count) };
            after = Some(last.id);
            let ids = members.iter().map(|member| member.user_id);
            let system = self.store.system(Reason::Export);
            let people = system.find::<user_account::Entity>();
            let people = people.among(user_account::Column::Id, ids).all().await?;
            let people: HashMap<UserId, user_account::Model> =
                people.into_iter().map(|person| (person.id, person)).collect();
            let mut text = String::new();
            for person in members.iter().filter_map(|member| people.get(&member.user_id)) {
                let line = json!({ "id": person.id.to_string(), "email": person.email, "name": person.name });
                text.push_str(&line.to_string());
                text.push('\n');
                count += 1;
            }
            send(parts, Part::Lines(text.into_bytes())).await?;
        }
    }
}

/// Why an export did not come to its end.
enum Ended {
    Database(DbErr),
    /// Nobody takes it any more.
    Unwanted,
}

impl From<DbErr> for Ended {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

async fn send(parts: &mpsc::Sender<Part>, part: Part) -> Result<(), Ended> {
    parts.send(part).await.map_err(|_| Ended::Unwanted)
}

/// The tenant's own row, then its tables, those that others refer to first.
fn exported_tables() -> Vec<TenantTable> {
    let mut tables = tenant_tables();
    tables.retain(|table| !INTERNAL.contains(&table.name));
    tables.push(tenant_row());
    tables.reverse();
    tables
}

fn exported_columns(table: &TenantTable) -> Vec<TableColumn> {
    let is_secret = |column: &TableColumn| SECRETS.iter().any(|part| column.name.contains(part));
    let columns = table
        .columns
        .iter()
        .filter(|column| is_readable(column) && !is_secret(column));
    columns.cloned().collect()
}

fn lines(table: &TenantTable, columns: &[TableColumn], rows: Vec<Row>) -> Vec<u8> {
    let mut text = Vec::new();
    for row in rows {
        let cells = columns.iter().zip(row);
        let line: Map<String, serde_json::Value> = cells
            .map(|(column, value)| (column.name.to_owned(), cell(table, column, value)))
            .collect();
        text.extend_from_slice(serde_json::Value::from(line).to_string().as_bytes());
        text.push(b'\n');
    }
    text
}

fn cell(table: &TenantTable, column: &TableColumn, value: Value) -> serde_json::Value {
    match value {
        Value::Uuid(Some(id)) => match prefix(table.name, column.name) {
            Some(prefix) => format!("{prefix}_{}", encode_base32(id.as_u128())).into(),
            None => id.to_string().into(),
        },
        Value::String(Some(text)) => text.into(),
        Value::Json(Some(json)) => *json,
        Value::ChronoDateTimeUtc(Some(at)) => json!(at),
        Value::Bool(Some(flag)) => flag.into(),
        Value::SmallInt(Some(number)) => number.into(),
        Value::Int(Some(number)) => number.into(),
        Value::BigInt(Some(number)) => number.into(),
        _ => serde_json::Value::Null,
    }
}

/// What stands before an id, so that it is the API's.
fn prefix(table: &str, column: &str) -> Option<&'static str> {
    Some(match (table, column) {
        (_, "tenant_id") | ("tenant", "id") => "ten",
        (_, "plan_id") => "pln",
        (_, "user_id" | "operator_id" | "invited_by" | "created_by") => "usr",
        (_, "device_id") | ("device", "id") => "dev",
        (_, "chat_id") | ("chat", "id") => "cht",
        (_, "message_id" | "last_message_id") | ("message", "id") => "msg",
        ("membership", "id") => "mem",
        ("receipt", "id") => "rcp",
        ("api_token", "id") => "tok",
        ("invitation", "id") => "inv",
        ("audit_entry", "id") => "aud",
        ("address_pair", "id") => "adr",
        ("access_grant", "id") => "agr",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use sea_orm::ColumnType;

    use super::*;

    /// The page of the manual.
    fn page() -> String {
        let mut page = String::from(
            "# Export of a tenant\n\n`GET /exports/tenant.zip` answers everything that the tenant owns, for its owners and \
             for operators who are let in as ADMIN. It is a ZIP archive with a file per table, one JSON object per line; \
             `people.ndjson` says who the members are, and `manifest.json`, the last file, how many lines each file has: an \
             archive without it is not whole. Ids are those of the API, times are RFC 3339 in UTC. Rows that change \
             while it is made may be in it as they were before or after.\n\nNo secret is in it: no password, no hash, no key, and \
             not the credentials of linked devices.\n\nThis page is made from the tables themselves, and a test keeps it equal \
             to them.\n\n| File | Columns |\n|---|---|\n",
        );
        for table in exported_tables() {
            let columns: Vec<String> = exported_columns(&table)
                .iter()
                .map(|column| format!("`{}`", column.name))
                .collect();
            writeln!(page, "| `{}.ndjson` | {} |", table.name, columns.join(", "))
                .expect("writing to a text never fails");
        }
        page.push_str("| `people.ndjson` | `id`, `email`, `name` |\n");
        page
    }

    #[test]
    fn the_manual_shows_what_is_exported() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, page(), "docs/export.md must be:\n{}", page());
    }

    #[test]
    fn no_hash_and_no_key_leaves() {
        for table in exported_tables() {
            for column in exported_columns(&table) {
                assert!(
                    !matches!(
                        column.kind,
                        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob
                    ),
                    "{}.{}",
                    table.name,
                    column.name
                );
            }
        }
        let tokens = exported_tables().into_iter().find(|table| table.name == "api_token");
        let columns = exported_columns(&tokens.expect("it is exported"));
        assert!(columns.iter().all(|column| column.name != "secret_hash"));
    }

    #[test]
    fn every_id_is_the_apis() {
        for table in exported_tables() {
            for column in exported_columns(&table) {
                if matches!(column.kind, ColumnType::Uuid) {
                    let known = prefix(table.name, column.name).is_some();
                    assert!(known, "{}.{} needs a prefix", table.name, column.name);
                }
            }
        }
    }

    #[test]
    fn what_tells_rows_apart_is_exported() {
        for table in exported_tables() {
            let columns = exported_columns(&table);
            for key in &table.key {
                let there = columns.iter().any(|column| column.name == key.name);
                assert!(there, "{}.{}", table.name, key.name);
            }
        }
    }
}
