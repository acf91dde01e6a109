//! Keys that the server makes for itself, encrypted under the secret of the configuration.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, optional, small, string, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = table(
            "server_key",
            vec![
                string("purpose", 16),
                small("number"),
                bytes("sealed"),
                time("created_at"),
                time("active_at"),
                optional(time("retired_at")),
            ],
            &["purpose", "number"],
        );
        manager.create_table(key).await
    }
}
