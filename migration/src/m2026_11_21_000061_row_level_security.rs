//! A second lock on the tables of tenants, on Postgres.

use sea_orm_migration::prelude::*;

use crate::row_security;

/// The tables of tenants of this day, and the column that names the tenant.
const TABLES: [(&str, &str); 14] = [
    ("access_grant", "tenant_id"),
    ("address_pair", "tenant_id"),
    ("api_token", "tenant_id"),
    ("audit_entry", "tenant_id"),
    ("chat", "tenant_id"),
    ("device", "tenant_id"),
    ("event", "tenant_id"),
    ("event_sequence", "tenant_id"),
    ("invitation", "tenant_id"),
    ("membership", "tenant_id"),
    ("message", "tenant_id"),
    ("quota_usage", "tenant_id"),
    ("receipt", "tenant_id"),
    ("tenant", "id"),
];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in TABLES {
            row_security::lock(manager, table, column).await?;
        }
        Ok(())
    }
}
