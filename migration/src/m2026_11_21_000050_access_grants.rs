//! Operators are let into a tenant for a while; what they do there carries the grant. The log is read across tenants.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, id, index, optional, string, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut grant = table(
            "access_grant",
            vec![
                id("id"),
                id("tenant_id"),
                id("operator_id"),
                string("operator_email", 254),
                string("role", 16),
                string("reason", 500),
                time("created_at"),
                time("expires_at"),
                optional(time("ended_at")),
            ],
            &["id"],
        );
        grant.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        grant.foreign_key(&mut belongs_to(&["operator_id"], "user_account", &["id"]));
        manager.create_table(grant).await?;
        let connection = manager.get_connection();
        for statement in [
            // One at a time: a double click makes one.
            "CREATE UNIQUE INDEX access_grant_open ON access_grant (operator_id, tenant_id) WHERE ended_at IS NULL",
            "ALTER TABLE audit_entry ADD COLUMN grant_id varchar(64)",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        for definition in [
            index("access_grant_tenant", "access_grant", &["tenant_id", "id"]),
            index("audit_entry_actor_anywhere", "audit_entry", &["actor_id", "id"]),
            index("audit_entry_action_anywhere", "audit_entry", &["action", "id"]),
            index("audit_entry_object_anywhere", "audit_entry", &["object_id", "id"]),
        ] {
            manager.create_index(definition).await?;
        }
        Ok(())
    }
}
