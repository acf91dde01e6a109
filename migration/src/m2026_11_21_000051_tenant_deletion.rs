//! A tenant's rows are found and deleted in batches: indexes for it, and an audit log that goes with its tenant.

use sea_orm_migration::prelude::*;

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for definition in [
            index("receipt_tenant", "receipt", &["tenant_id", "id"]),
            index("address_pair_tenant", "address_pair", &["tenant_id", "id"]),
        ] {
            manager.create_index(definition).await?;
        }
        let statements = match manager.get_database_backend() {
            sea_orm::DatabaseBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// Entries go while their tenant is being deleted, or with what is left of it.
const POSTGRES: &[&str] = &[
    "CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF TG_OP = 'DELETE' AND OLD.tenant_id IS NOT NULL AND NOT EXISTS \
     (SELECT 1 FROM tenant WHERE tenant.id = OLD.tenant_id AND tenant.status <> 'deleting') THEN RETURN OLD; END IF; \
     RAISE EXCEPTION 'the audit log is append-only'; END $$",
];

const SQLITE: &[&str] = &[
    "DROP TRIGGER audit_entry_stays",
    "CREATE TRIGGER audit_entry_stays BEFORE DELETE ON audit_entry \
     WHEN OLD.tenant_id IS NULL OR EXISTS \
     (SELECT 1 FROM tenant WHERE tenant.id = OLD.tenant_id AND tenant.status <> 'deleting') \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
];
