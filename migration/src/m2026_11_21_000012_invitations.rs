//! Invitations: how people come into a tenant.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, id, optional, string, table, time, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut invitation = table(
            "invitation",
            vec![
                id("id"),
                id("tenant_id"),
                string("email", 254),
                string("role", 16),
                bytes("token_hash"),
                optional(id("invited_by")),
                time("created_at"),
                time("expires_at"),
            ],
            &["id"],
        );
        invitation.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(invitation).await?;
        manager
            .create_index(unique("invitation_token", "invitation", &["token_hash"]))
            .await?;
        manager
            .create_index(unique("invitation_email", "invitation", &["tenant_id", "email"]))
            .await?;
        manager
            .create_index(crate::columns::index(
                "membership_tenant",
                "membership",
                &["tenant_id", "id"],
            ))
            .await
    }
}
