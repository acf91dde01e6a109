//! Links by which people choose a new password.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, id, index, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut reset = table(
            "password_reset",
            vec![
                bytes("token_hash"),
                id("user_id"),
                time("created_at"),
                time("expires_at"),
            ],
            &["token_hash"],
        );
        reset.foreign_key(&mut belongs_to(&["user_id"], "user_account", &["id"]));
        manager.create_table(reset).await?;
        manager
            .create_index(index("password_reset_user", "password_reset", &["user_id"]))
            .await
    }
}
