//! A message refers to its chat of its device, in one key: it referred to both, and nothing said that they belong together.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::unique;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite can change no key of a table; there two lookups in one process cost little. Postgres looked the device up
        // for every message, and locked its row against the device's own status.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        manager
            .create_index(unique("chat_tenant_device", "chat", &["tenant_id", "device_id", "id"]))
            .await?;
        let connection = manager.get_connection();
        for statement in [
            "ALTER TABLE message DROP CONSTRAINT message_tenant_id_device_id_fkey",
            "ALTER TABLE message DROP CONSTRAINT message_tenant_id_chat_id_fkey",
            "ALTER TABLE message ADD CONSTRAINT message_chat_fkey FOREIGN KEY (tenant_id, device_id, chat_id) \
             REFERENCES chat (tenant_id, device_id, id) ON DELETE CASCADE",
            "DROP INDEX chat_tenant",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
