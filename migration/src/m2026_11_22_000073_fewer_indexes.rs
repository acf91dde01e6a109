//! Indexes that every message, chat and event paid for, and that another one makes needless.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            // Every statement names the tenant, so the key is found by both. An update of an indexed column writes to every
            // index of the table, and messages and chats change often.
            for statement in [
                "ALTER TABLE message DROP CONSTRAINT message_pkey",
                "ALTER TABLE message ADD CONSTRAINT message_pkey PRIMARY KEY USING INDEX message_tenant",
            ] {
                connection.execute_unprepared(statement).await?;
            }
            return Ok(());
        }
        // SQLite kept the key beside the rows: an event went into three trees. Without row numbers the key is the table.
        // In one transaction, or a crash in the middle would lose the log.
        connection
            .execute_unprepared(
                r#"BEGIN IMMEDIATE;
                CREATE TABLE event_by_key (
                    "tenant_id" uuid_text NOT NULL,
                    "sequence" integer NOT NULL,
                    "type" varchar(24) NOT NULL,
                    "at" timestamp_with_timezone_text NOT NULL,
                    "device_id" uuid_text NULL,
                    "chat_id" uuid_text NULL,
                    "message_id" uuid_text NULL,
                    "data" jsonb_text NOT NULL,
                    PRIMARY KEY ("tenant_id", "sequence"),
                    FOREIGN KEY ("tenant_id") REFERENCES "tenant" ("id") ON DELETE CASCADE
                ) WITHOUT ROWID;
                INSERT INTO event_by_key SELECT "tenant_id", "sequence", "type", "at", "device_id", "chat_id", "message_id", "data" FROM event;
                DROP TABLE event;
                ALTER TABLE event_by_key RENAME TO event;
                CREATE INDEX event_device ON event ("tenant_id", "device_id", "sequence");
                COMMIT;"#,
            )
            .await?;
        Ok(())
    }
}
