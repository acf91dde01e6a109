//! The event log and its numbers.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, big, id, index, json, optional, string, table, time};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sequence = table("event_sequence", vec![id("tenant_id"), big("last")], &["tenant_id"]);
        sequence.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(sequence).await?;

        // Events outlive what they tell of: they refer to devices, chats and messages without a foreign key.
        let mut event = table(
            "event",
            vec![
                id("tenant_id"),
                big("sequence"),
                string("type", 24),
                time("at"),
                optional(id("device_id")),
                optional(id("chat_id")),
                optional(id("message_id")),
                json("data"),
            ],
            &["tenant_id", "sequence"],
        );
        event.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(event).await?;
        manager
            .create_index(index("event_device", "event", &["tenant_id", "device_id", "sequence"]))
            .await
    }
}
