//! A chat that is touched changes place in each of its indexes: two of the four held its id.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite can change no key of a table, and has none but the tenant's beside it.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let connection = manager.get_connection();
        // Found by tenant and id, as every statement asks, and referred to by messages with their device.
        for statement in [
            "CREATE UNIQUE INDEX chat_key ON chat (tenant_id, id, device_id)",
            "ALTER TABLE message DROP CONSTRAINT message_chat_fkey",
            // Before the new reference, which would find this index as good.
            "DROP INDEX chat_tenant_device",
            "ALTER TABLE chat DROP CONSTRAINT chat_pkey",
            "ALTER TABLE chat ADD CONSTRAINT chat_pkey PRIMARY KEY USING INDEX chat_key",
            "ALTER TABLE message ADD CONSTRAINT message_chat_fkey FOREIGN KEY (tenant_id, chat_id, device_id) \
             REFERENCES chat (tenant_id, id, device_id) ON DELETE CASCADE",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
