//! What every message and event paid for and nobody used.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        // It was written with every attempt and never read.
        connection
            .execute_unprepared("ALTER TABLE message DROP COLUMN fence")
            .await?;
        // An event is only ever written beside the tenant's number, which refers to the tenant; Postgres looked the tenant
        // up again for every event. SQLite cannot drop it, and pays less.
        if manager.get_database_backend() == DbBackend::Postgres {
            connection
                .execute_unprepared("ALTER TABLE event DROP CONSTRAINT event_tenant_id_fkey")
                .await?;
        }
        Ok(())
    }
}
