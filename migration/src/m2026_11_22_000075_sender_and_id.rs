//! A message is told from others by its sender and the id that the sender chose, whatever the chat is called.

use sea_orm_migration::prelude::*;

use crate::columns::unique;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The same message may come again once its chat goes by a number instead of a hidden address. And every message
        // that changes is written to this index, which was its widest.
        manager
            .drop_index(Index::drop().name("message_whatsapp").table("message").to_owned())
            .await?;
        manager
            .create_index(unique(
                "message_whatsapp",
                "message",
                &["tenant_id", "device_id", "whatsapp_id", "sender_jid"],
            ))
            .await
    }
}
