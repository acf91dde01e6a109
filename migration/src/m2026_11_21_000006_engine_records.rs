//! Engine records are written again and again: they change in place.
//!
//! Postgres writes a changed row into the same page, without touching an index, when no indexed column changes and the
//! page has room ("heap-only tuples").

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("engine_record_number")
            .table("engine_record")
            .to_owned();
        manager.drop_index(index).await?;
        let connection = manager.get_connection();
        // Sessions, the most of them, have no number and need no place here.
        connection
            .execute_unprepared(
                "CREATE INDEX engine_record_number ON engine_record (device_id, space, number) \
                 WHERE number IS NOT NULL",
            )
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            connection
                .execute_unprepared("ALTER TABLE engine_record SET (fillfactor = 75)")
                .await?;
        }
        Ok(())
    }
}
