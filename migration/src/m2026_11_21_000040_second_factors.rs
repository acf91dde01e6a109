//! Second factors: what an authenticator app shares with the server, and the codes for when it is lost.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, big, bytes, id, optional, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut factor = table(
            "second_factor",
            vec![
                id("user_id"),
                bytes("secret"),
                time("created_at"),
                optional(time("confirmed_at")),
                optional(big("last_step")),
            ],
            &["user_id"],
        );
        factor.foreign_key(&mut belongs_to(&["user_id"], "user_account", &["id"]));
        manager.create_table(factor).await?;
        let mut code = table(
            "recovery_code",
            vec![
                id("user_id"),
                bytes("code_hash"),
                time("created_at"),
                optional(time("used_at")),
            ],
            &["user_id", "code_hash"],
        );
        code.foreign_key(&mut belongs_to(&["user_id"], "second_factor", &["user_id"]));
        manager.create_table(code).await
    }
}
