//! What waits to be sent stands in a table of its own, and a message changes in place.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::row_security;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Half of each page is left free for what a row becomes: then it changes where it is, and no index hears of it.
const ON_POSTGRES: &str = "CREATE TABLE message_queue (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    device_id uuid NOT NULL,
    priority smallint NOT NULL,
    sending boolean NOT NULL,
    next_attempt_at timestamptz NULL,
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50)";

const ON_SQLITE: &str = "CREATE TABLE message_queue (
    tenant_id uuid_text NOT NULL,
    message_id uuid_text NOT NULL,
    device_id uuid_text NOT NULL,
    priority smallint NOT NULL,
    sending boolean NOT NULL,
    next_attempt_at timestamp_with_timezone_text NULL,
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id) ON DELETE CASCADE
) WITHOUT ROWID";

/// It begins with the tenant, as the key does. Without it, Postgres looks for messages by their ids in this index, all of
/// it, when it believes the queue to be empty.
const ORDER: &str = "CREATE INDEX message_queue_order ON message_queue (tenant_id, device_id, priority, message_id)";

/// The messages that wait or are on their way now.
const FILL: &str = "INSERT INTO message_queue (tenant_id, message_id, device_id, priority, sending, next_attempt_at) \
    SELECT tenant_id, id, device_id, priority, status = 'sending', next_attempt_at FROM message \
    WHERE status = 'queued' OR status = 'sending'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On SQLite too: a crash in the middle would leave half a queue.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let on_postgres = manager.get_database_backend() == DbBackend::Postgres;
        if on_postgres {
            // It is altered below: taken at once, so that no writer of messages stands in between.
            connection
                .execute_unprepared("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
                .await?;
        }
        for statement in [
            if on_postgres { ON_POSTGRES } else { ON_SQLITE },
            ORDER,
            FILL,
            "DROP INDEX message_outbox",
            "ALTER TABLE message DROP COLUMN next_attempt_at",
        ] {
            connection.execute_unprepared(statement).await?;
        }
        if on_postgres {
            connection
                .execute_unprepared("ALTER TABLE message SET (fillfactor = 65)")
                .await?;
        }
        row_security::lock(manager, "message_queue", "tenant_id").await
    }
}
