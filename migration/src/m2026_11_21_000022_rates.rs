//! What operators set while the server runs, and the counters that servers share.

use sea_orm_migration::prelude::*;

use crate::columns::{big, json, small, string, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let settings = table(
            "platform_settings",
            vec![small("id"), big("version"), json("value"), time("updated_at")],
            &["id"],
        );
        manager.create_table(settings).await?;
        let window = table(
            "rate_window",
            vec![string("key", 160), big("period"), big("used"), time("expires_at")],
            &["key"],
        );
        manager.create_table(window).await
    }
}
