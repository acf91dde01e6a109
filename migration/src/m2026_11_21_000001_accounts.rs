//! Tenants, people, memberships, sessions.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, bytes, flag, id, optional, string, table, time, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenant = table(
            "tenant",
            vec![
                id("id"),
                string("name", 120),
                string("slug", 60),
                string("status", 16),
                string("default_country", 2),
                string("default_language", 16),
                string("time_zone", 64),
                time("created_at"),
                time("updated_at"),
            ],
            &["id"],
        );
        manager.create_table(tenant).await?;
        manager.create_index(unique("tenant_slug", "tenant", &["slug"])).await?;

        let user = table(
            "user_account",
            vec![
                id("id"),
                string("email", 254),
                string("name", 120),
                string("password_hash", 255),
                time("password_changed_at"),
                flag("operator"),
                time("created_at"),
                time("updated_at"),
            ],
            &["id"],
        );
        manager.create_table(user).await?;
        manager
            .create_index(unique("user_account_email", "user_account", &["email"]))
            .await?;

        let mut membership = table(
            "membership",
            vec![
                id("id"),
                id("tenant_id"),
                id("user_id"),
                string("role", 16),
                time("created_at"),
            ],
            &["id"],
        );
        membership.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        membership.foreign_key(&mut belongs_to(&["user_id"], "user_account", &["id"]));
        manager.create_table(membership).await?;
        manager
            .create_index(unique(
                "membership_user_tenant",
                "membership",
                &["user_id", "tenant_id"],
            ))
            .await?;

        let mut session = table(
            "session",
            vec![
                id("id"),
                id("user_id"),
                optional(id("tenant_id")),
                time("created_at"),
                time("last_used_at"),
                time("expires_at"),
                optional(time("ended_at")),
                optional(string("end_reason", 32)),
                optional(string("address", 64)),
                optional(string("user_agent", 255)),
            ],
            &["id"],
        );
        session.foreign_key(&mut belongs_to(&["user_id"], "user_account", &["id"]));
        session.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(session).await?;
        manager
            .create_index(crate::columns::index("session_user", "session", &["user_id"]))
            .await?;

        let mut token = table(
            "refresh_token",
            vec![
                id("id"),
                id("session_id"),
                bytes("token_hash"),
                time("created_at"),
                time("expires_at"),
                optional(time("used_at")),
            ],
            &["id"],
        );
        token.foreign_key(&mut belongs_to(&["session_id"], "session", &["id"]));
        manager.create_table(token).await?;
        manager
            .create_index(unique("refresh_token_hash", "refresh_token", &["token_hash"]))
            .await?;
        manager
            .create_index(crate::columns::index(
                "refresh_token_session",
                "refresh_token",
                &["session_id"],
            ))
            .await
    }
}
