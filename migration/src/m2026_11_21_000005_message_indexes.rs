//! Indexes of messages that both databases use as they are meant.

use sea_orm_migration::prelude::*;

use crate::columns::unique;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["message_outbox", "message_whatsapp", "message_idempotency"] {
            manager
                .drop_index(Index::drop().name(name).table("message").to_owned())
                .await?;
        }
        // Every statement names the tenant. With an index that does not, SQLite prefers one that does, and reads every
        // message of the device for each receipt.
        manager
            .create_index(unique(
                "message_whatsapp",
                "message",
                &["tenant_id", "device_id", "whatsapp_id", "chat_id", "sender_jid"],
            ))
            .await?;
        let connection = manager.get_connection();
        // SQLite finds out that `status = 'queued'` is enough for an index over OR, but not for one over IN.
        connection
            .execute_unprepared(
                "CREATE INDEX message_outbox ON message (device_id, status, priority, id) \
                 WHERE status = 'scheduled' OR status = 'queued' OR status = 'sending'",
            )
            .await?;
        // Most messages have no key and need no place here.
        connection
            .execute_unprepared(
                "CREATE UNIQUE INDEX message_idempotency ON message (tenant_id, idempotency_key) \
                 WHERE idempotency_key IS NOT NULL",
            )
            .await?;
        Ok(())
    }
}
