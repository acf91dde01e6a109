//! API tokens: how programs act for a tenant.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, id, index, json, optional, string, table, time, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut token = table(
            "api_token",
            vec![
                id("id"),
                id("tenant_id"),
                string("name", 120),
                string("prefix", 16),
                bytes("secret_hash"),
                json("scopes"),
                // Null is every device.
                optional(json("device_ids")),
                json("allowed_networks"),
                optional(id("created_by")),
                time("created_at"),
                optional(time("expires_at")),
                optional(time("revoked_at")),
                optional(time("last_used_at")),
                optional(string("last_used_address", 64)),
            ],
            &["id"],
        );
        token.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(token).await?;
        manager
            .create_index(unique("api_token_secret", "api_token", &["secret_hash"]))
            .await?;
        manager
            .create_index(index("api_token_tenant", "api_token", &["tenant_id", "id"]))
            .await
    }
}
