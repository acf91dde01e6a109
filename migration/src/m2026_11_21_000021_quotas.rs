//! How much of each limit was used, per window.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, big, id, small, string, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut usage = table(
            "quota_usage",
            vec![
                id("tenant_id"),
                string("subject", 40),
                string("meter", 32),
                big("window"),
                big("used"),
                small("warned"),
            ],
            &["tenant_id", "subject", "meter", "window"],
        );
        usage.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(usage).await
    }
}
