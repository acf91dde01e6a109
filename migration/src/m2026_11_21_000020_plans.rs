//! Plans, and what a tenant has beside its name: a plan, what was agreed beside it, since when and why it is suspended.

use sea_orm_migration::prelude::*;

use crate::columns::{json, optional, string, table, time, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let plan = table(
            "plan",
            vec![
                crate::columns::id("id"),
                string("name", 120),
                optional(string("description", 500)),
                json("limits"),
                time("created_at"),
                time("updated_at"),
            ],
            &["id"],
        );
        manager.create_table(plan).await?;
        manager.create_index(unique("plan_name", "plan", &["name"])).await?;

        // SQLite adds one column at a time, and a reference only within the column's own definition.
        let connection = manager.get_connection();
        let (id, json, time) = match connection.get_database_backend() {
            sea_orm_migration::sea_orm::DbBackend::Sqlite => {
                ("uuid_text", "jsonb_text", "timestamp_with_timezone_text")
            }
            _ => ("uuid", "jsonb", "timestamp with time zone"),
        };
        for column in [
            format!("plan_id {id} REFERENCES plan (id)"),
            format!("limit_overrides {json} NOT NULL DEFAULT '{{}}'"),
            format!("suspended_at {time}"),
            "suspension_reason varchar(500)".to_owned(),
        ] {
            let statement = format!("ALTER TABLE tenant ADD COLUMN {column}");
            connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
