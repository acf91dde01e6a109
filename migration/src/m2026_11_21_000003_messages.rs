//! Chats, messages, receipts of groups.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, big, id, index, integer, json, optional, small, string, table, text, time, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        chats(manager).await?;
        messages(manager).await?;
        receipts(manager).await
    }
}

async fn chats(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut chat = table(
        "chat",
        vec![
            id("id"),
            id("tenant_id"),
            id("device_id"),
            string("jid", 100),
            string("kind", 16),
            optional(string("name", 255)),
            optional(string("phone_number", 20)),
            integer("unread_count"),
            optional(id("last_message_id")),
            optional(time("last_message_at")),
            time("created_at"),
        ],
        &["id"],
    );
    chat.foreign_key(&mut belongs_to(
        &["tenant_id", "device_id"],
        "device",
        &["tenant_id", "id"],
    ));
    manager.create_table(chat).await?;
    manager
        .create_index(unique("chat_tenant", "chat", &["tenant_id", "id"]))
        .await?;
    manager
        .create_index(unique("chat_device_jid", "chat", &["device_id", "jid"]))
        .await?;
    manager
        .create_index(index(
            "chat_device_recent",
            "chat",
            &["tenant_id", "device_id", "last_message_at", "id"],
        ))
        .await?;
    manager
        .create_index(index("chat_recent", "chat", &["tenant_id", "last_message_at", "id"]))
        .await
}

async fn messages(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut message = table(
        "message",
        vec![
            id("id"),
            id("tenant_id"),
            id("device_id"),
            id("chat_id"),
            string("whatsapp_id", 128),
            string("direction", 4),
            string("sender_jid", 100),
            optional(string("sender_phone", 20)),
            optional(string("sender_name", 255)),
            optional(string("recipient_jid", 100)),
            optional(string("recipient_phone", 20)),
            string("kind", 16),
            json("content"),
            optional(text("body")),
            string("status", 16),
            small("priority"),
            integer("attempts"),
            optional(big("fence")),
            optional(time("next_attempt_at")),
            optional(string("error_code", 64)),
            optional(string("error_message", 500)),
            optional(integer("error_number")),
            optional(string("idempotency_key", 64)),
            time("created_at"),
            optional(time("sending_at")),
            optional(time("sent_at")),
            optional(time("delivered_at")),
            optional(time("read_at")),
            optional(time("played_at")),
            optional(time("ended_at")),
        ],
        &["id"],
    );
    message.foreign_key(&mut belongs_to(&["tenant_id", "chat_id"], "chat", &["tenant_id", "id"]));
    message.foreign_key(&mut belongs_to(
        &["tenant_id", "device_id"],
        "device",
        &["tenant_id", "id"],
    ));
    manager.create_table(message).await?;
    for definition in [
        unique("message_tenant", "message", &["tenant_id", "id"]),
        unique("message_idempotency", "message", &["tenant_id", "idempotency_key"]),
        // Acks and receipts name a message by device and WhatsApp id. Two senders may choose the same id, so the sender
        // belongs to what makes a message unique.
        unique(
            "message_whatsapp",
            "message",
            &["device_id", "whatsapp_id", "chat_id", "sender_jid"],
        ),
        index("message_chat", "message", &["tenant_id", "chat_id", "id"]),
        index("message_device", "message", &["tenant_id", "device_id", "id"]),
    ] {
        manager.create_index(definition).await?;
    }
    // The outbox: only what still has to be sent is in this index, however large the table grows.
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE INDEX message_outbox ON message (device_id, status, priority, id) \
             WHERE status IN ('scheduled', 'queued', 'sending')",
        )
        .await?;
    Ok(())
}

async fn receipts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut receipt = table(
        "receipt",
        vec![
            id("id"),
            id("tenant_id"),
            id("message_id"),
            string("participant_jid", 100),
            optional(string("participant_phone", 20)),
            optional(time("delivered_at")),
            optional(time("read_at")),
            optional(time("played_at")),
        ],
        &["id"],
    );
    receipt.foreign_key(&mut belongs_to(
        &["tenant_id", "message_id"],
        "message",
        &["tenant_id", "id"],
    ));
    manager.create_table(receipt).await?;
    manager
        .create_index(unique(
            "receipt_participant",
            "receipt",
            &["message_id", "participant_jid"],
        ))
        .await
}
