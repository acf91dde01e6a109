//! The overview and the activity log.

use super::{Language, Words, phrases};
use crate::api::messages::MessageStatus;

phrases! {
    connected_devices: "Devices connected", "Perangkat tersambung";
    unread_chats: "Unread chats", "Percakapan belum dibaca";
    messages_today: "Messages today", "Pesan hari ini";
    received: "Received", "Diterima";
    sent: "Sent", "Terkirim";
    delivered: "Delivered", "Sampai";
    read: "Read", "Dibaca";
    failed: "Failed", "Gagal";
    needs_attention: "Needs attention", "Perlu perhatian";
    all_well: "Every device is well.", "Semua perangkat baik.";
    recent_activity: "Recent activity", "Aktivitas terbaru";
    all_activity: "All activity", "Semua aktivitas";
    first_run_title: "Send your first message", "Kirim pesan pertama Anda";
    first_create: "Create a device", "Buat perangkat";
    first_create_text: "It stands for one WhatsApp account.", "Perangkat mewakili satu akun WhatsApp.";
    first_link: "Link it with your phone", "Tautkan dengan ponsel Anda";
    first_link_text: "Scan a QR code, or enter a code on the phone.", "Pindai kode QR, atau masukkan kode di ponsel.";
    first_send: "Write to somebody", "Tulis kepada seseorang";
    first_send_text: "From the inbox, or through the API.", "Dari kotak masuk, atau lewat API.";
    no_activity: "Nothing has happened yet", "Belum ada yang terjadi";
    no_activity_text: "Devices that connect and messages that come and go appear here.",
        "Perangkat yang tersambung serta pesan masuk dan keluar muncul di sini.";
    load_older: "Load older", "Muat yang lebih lama";
    deleted_device: "A deleted device", "Perangkat yang dihapus";
    deleted_message: "A deleted message", "Pesan yang dihapus";
    wrote: "wrote", "menulis";
}

impl Words {
    pub fn activity_filter(self, name: &str) -> &'static str {
        match (self.0, name) {
            (Language::En, "devices") => "Devices",
            (Language::Id, "devices") => "Perangkat",
            (Language::En, "received") => "Incoming messages",
            (Language::Id, "received") => "Pesan masuk",
            (Language::En, _) => "Outgoing messages",
            (Language::Id, _) => "Pesan keluar",
        }
    }

    /// What became of a message to somebody.
    pub fn message_now(self, status: MessageStatus) -> String {
        let word = self.message_status(status).to_lowercase();
        match self.0 {
            Language::En => format!("message {word}"),
            Language::Id => format!("pesan {word}"),
        }
    }
}
