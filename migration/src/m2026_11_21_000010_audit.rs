//! The audit log: who did what, from where. Rows are only ever added.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, id, index, json, optional, string, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut entry = table(
            "audit_entry",
            vec![
                id("id"),
                // Null for what belongs to no tenant: actions on the platform, logins to unknown accounts.
                optional(id("tenant_id")),
                time("at"),
                string("actor_kind", 16),
                optional(string("actor_id", 64)),
                optional(string("actor_name", 255)),
                optional(string("address", 64)),
                optional(string("user_agent", 255)),
                string("action", 64),
                optional(string("object_id", 64)),
                optional(string("object_name", 255)),
                optional(json("before")),
                optional(json("after")),
            ],
            &["id"],
        );
        entry.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(entry).await?;
        for definition in [
            index("audit_entry_recent", "audit_entry", &["tenant_id", "id"]),
            index("audit_entry_action", "audit_entry", &["tenant_id", "action", "id"]),
            index("audit_entry_actor", "audit_entry", &["tenant_id", "actor_id", "id"]),
            index("audit_entry_object", "audit_entry", &["tenant_id", "object_id", "id"]),
        ] {
            manager.create_index(definition).await?;
        }
        let guard = match manager.get_database_backend() {
            sea_orm::DatabaseBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        for statement in guard {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// Entries go only together with their tenant: then the tenant's row is gone already when theirs follow.
const POSTGRES: &[&str] = &[
    "CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF TG_OP = 'DELETE' AND OLD.tenant_id IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM tenant WHERE tenant.id = OLD.tenant_id) THEN RETURN OLD; END IF; \
     RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry \
     FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()",
    "CREATE TRIGGER audit_entry_is_not_emptied BEFORE TRUNCATE ON audit_entry \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()",
];

const SQLITE: &[&str] = &[
    "CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_entry_stays BEFORE DELETE ON audit_entry \
     WHEN OLD.tenant_id IS NULL OR EXISTS (SELECT 1 FROM tenant WHERE tenant.id = OLD.tenant_id) \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
];
