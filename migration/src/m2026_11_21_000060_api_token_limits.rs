//! Limits that an API token has of its own.

use sea_orm_migration::prelude::*;

use crate::columns::{json, optional};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = optional(json("limits"));
        let change = Table::alter().table("api_token").add_column(&mut column).to_owned();
        manager.alter_table(change).await
    }
}
