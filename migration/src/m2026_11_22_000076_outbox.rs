//! What waits to be sent stands in a table of its own, and a message changes in place.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::row_security;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The messages that are in the queue now.
const FILL: &str = "INSERT INTO outbox (tenant_id, message_id, device_id, priority, sending, next_attempt_at) \
    SELECT tenant_id, id, device_id, priority, status = 'sending', next_attempt_at FROM message \
    WHERE status = 'scheduled' OR status = 'queued' OR status = 'sending'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() != DbBackend::Postgres {
            // In one transaction, or a crash in the middle would leave half a queue.
            let statements = format!(
                r#"BEGIN IMMEDIATE;
                CREATE TABLE outbox (
                    "tenant_id" uuid_text NOT NULL,
                    "message_id" uuid_text NOT NULL,
                    "device_id" uuid_text NOT NULL,
                    "priority" smallint NOT NULL,
                    "sending" boolean NOT NULL,
                    "next_attempt_at" timestamp_with_timezone_text NULL,
                    PRIMARY KEY ("tenant_id", "message_id"),
                    FOREIGN KEY ("tenant_id", "message_id") REFERENCES "message" ("tenant_id", "id") ON DELETE CASCADE
                ) WITHOUT ROWID;
                CREATE INDEX outbox_queue ON outbox ("tenant_id", "device_id", "priority", "message_id");
                {FILL};
                DROP INDEX message_outbox;
                ALTER TABLE message DROP COLUMN next_attempt_at;
                COMMIT;"#
            );
            return connection.execute_unprepared(&statements).await.map(|_| ());
        }
        for statement in [
            // Half of each page is left free for what a message becomes: then it changes where it is, and no index hears
            // of it.
            "CREATE TABLE outbox (
                tenant_id uuid NOT NULL,
                message_id uuid NOT NULL,
                device_id uuid NOT NULL,
                priority smallint NOT NULL,
                sending boolean NOT NULL,
                next_attempt_at timestamptz NULL,
                PRIMARY KEY (tenant_id, message_id),
                FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id) ON DELETE CASCADE
            ) WITH (fillfactor = 50)",
            "CREATE INDEX outbox_queue ON outbox (tenant_id, device_id, priority, message_id)",
            FILL,
            "DROP INDEX message_outbox",
            "ALTER TABLE message DROP COLUMN next_attempt_at",
            "ALTER TABLE message SET (fillfactor = 65)",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        row_security::lock(manager, "outbox", "tenant_id").await
    }
}
