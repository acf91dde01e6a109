//! Chats and messages.

use super::{Language, Words, phrases};
use crate::api::messages::MessageStatus;

phrases! {
    chats: "Chats", "Percakapan";
    new_chat: "New chat", "Percakapan baru";
}

impl Words {
    pub fn message_status(self, status: MessageStatus) -> &'static str {
        match (self.0, status) {
            (Language::En, MessageStatus::Scheduled) => "Scheduled",
            (Language::Id, MessageStatus::Scheduled) => "Dijadwalkan",
            (Language::En, MessageStatus::Queued) => "Queued",
            (Language::Id, MessageStatus::Queued) => "Dalam antrean",
            (Language::En, MessageStatus::Sending) => "Sending",
            (Language::Id, MessageStatus::Sending) => "Mengirim",
            (Language::En, MessageStatus::Sent) => "Sent",
            (Language::Id, MessageStatus::Sent) => "Terkirim",
            (Language::En, MessageStatus::Delivered) => "Delivered",
            (Language::Id, MessageStatus::Delivered) => "Sampai",
            (Language::En, MessageStatus::Read) => "Read",
            (Language::Id, MessageStatus::Read) => "Dibaca",
            (Language::En, MessageStatus::Played) => "Played",
            (Language::Id, MessageStatus::Played) => "Diputar",
            (Language::En, MessageStatus::Failed) => "Failed",
            (Language::Id, MessageStatus::Failed) => "Gagal",
            (Language::En, MessageStatus::Canceled) => "Canceled",
            (Language::Id, MessageStatus::Canceled) => "Dibatalkan",
            (Language::En, MessageStatus::Expired) => "Expired",
            (Language::Id, MessageStatus::Expired) => "Kedaluwarsa",
            (Language::En, MessageStatus::Received) => "Received",
            (Language::Id, MessageStatus::Received) => "Diterima",
            (Language::En, MessageStatus::Other) => "Unknown",
            (Language::Id, MessageStatus::Other) => "Tidak dikenal",
        }
    }
}
