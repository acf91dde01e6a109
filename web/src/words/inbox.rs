//! Chats and messages.

use super::{Language, Words, count, phrases};
use crate::{api::messages::MessageStatus, state::format};

phrases! {
    chats: "Chats", "Percakapan";
    new_chat: "New chat", "Percakapan baru";
    conversation: "Conversation", "Percakapan";
    messages: "Messages", "Pesan";
    message: "Message", "Pesan";
    device: "Device", "Perangkat";
    all_devices: "All devices", "Semua perangkat";
    search_chats: "Search chats", "Cari percakapan";
    show: "Show", "Tampilkan";
    no_chats: "No chats yet", "Belum ada percakapan";
    no_chats_text: "Chats appear when a message comes in or goes out.", "Percakapan muncul saat ada pesan masuk atau keluar.";
    no_chat_matches: "No chat matches", "Tidak ada percakapan yang cocok";
    choose_chat: "Choose a chat", "Pilih percakapan";
    choose_chat_text: "Or start a new one with a phone number.", "Atau mulai yang baru dengan nomor telepon.";
    no_such_chat: "There is no such chat", "Percakapan ini tidak ada";
    to_inbox: "Back to the inbox", "Kembali ke kotak masuk";
    via_device(name: &str): format!("via {name}"), format!("lewat {name}");
    write_message: "Write a message", "Tulis pesan";
    send: "Send", "Kirim";
    link_preview: "Show a preview of the link", "Tampilkan pratinjau tautan";
    mention_somebody: "Mention somebody", "Sebut seseorang";
    everyone: "everyone", "semua";
    send_from: "Send from", "Kirim dari";
    number_hint: "With country code, such as +62 812….", "Dengan kode negara, misalnya +62 812….";
    no_linked_device: "No linked device", "Belum ada perangkat tertaut";
    no_linked_device_text: "Link a WhatsApp account first, then you can write from it.",
        "Tautkan akun WhatsApp dulu, lalu Anda dapat menulis darinya.";
    read_only: "Your role may read chats, not write.", "Peran Anda boleh membaca percakapan, tidak menulis.";
    new_messages(number: i32): count(number, "new message", "new messages"), format!("{} pesan baru", format::number(number));
    message_details: "Message details", "Rincian pesan";
    retry: "Retry", "Coba lagi";
    waits_for_device: "Waits until the device is connected.", "Menunggu sampai perangkat tersambung.";
    attempts: "Attempts", "Percobaan";
    whatsapp_id: "WhatsApp id", "ID WhatsApp";
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
