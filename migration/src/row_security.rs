//! Row-level security: which rows of a tenant's table Postgres shows to whom.

use sea_orm_migration::prelude::*;

/// Locks a table that belongs to tenants. `column` names the tenant.
///
/// Two settings of the connection decide, and neither is set from anywhere but `api/src/store`: `kabar.tenant` is the tenant
/// whose rows may be seen and written, `kabar.system` is `on` for work across tenants. FORCE, because the server's user
/// usually owns the tables. The settings stand in sub-selects, which Postgres evaluates once for a statement and not for
/// every row; the tenant's first, so that its own rows ask for nothing further. SQLite has no such thing.
pub async fn lock(manager: &SchemaManager<'_>, table: &str, column: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != sea_orm::DbBackend::Postgres {
        return Ok(());
    }
    let statements = format!(
        "ALTER TABLE \"{table}\" ENABLE ROW LEVEL SECURITY;
         ALTER TABLE \"{table}\" FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_rows ON \"{table}\" USING (
             \"{column}\" = (SELECT NULLIF(current_setting('kabar.tenant', true), '')::uuid)
             OR (SELECT current_setting('kabar.system', true)) = 'on'
         )"
    );
    manager
        .get_connection()
        .execute_unprepared(&statements)
        .await
        .map(|_| ())
}
