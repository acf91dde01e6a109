//! API tokens.

use super::{Language, Words, phrases};
use crate::api::api_tokens::Scope;

phrases! {
    add_device: "Add a device", "Tambah perangkat";
    remove_named(name: &str): format!("Remove {name}"), format!("Hapus {name}");
    api_tokens: "API tokens", "Token API";
    api_tokens_text: "With a token a program acts for this tenant, within what the token may do.",
        "Dengan token, sebuah program bertindak untuk tenant ini, sebatas yang boleh dilakukan token itu.";
    no_api_tokens: "No API tokens yet", "Belum ada token API";
    create_token: "Create token", "Buat token";
    edit_token: "Edit token", "Ubah token";
    as_it_is: "As it is now", "Seperti sekarang";
    token_name_hint: "Where it is used, such as “Shop, production”.", "Tempat pemakaiannya, misalnya “Toko, produksi”.";
    token_secret: "Copy the token now", "Salin token sekarang";
    token_secret_text: "It is shown this once, and nobody can read it again. Put it where your program keeps its secrets.",
        "Hanya ditampilkan sekali ini, dan tidak dapat dibaca lagi. Simpan di tempat rahasia program Anda.";
    token_example: "Try it in a terminal:", "Coba di terminal:";
    scopes: "What it may do", "Yang boleh dilakukan";
    scopes_missing: "Choose at least one.", "Pilih setidaknya satu.";
    expiry: "Ends", "Berakhir";
    never: "Never", "Tidak pernah";
    last_used: "Last used", "Terakhir dipakai";
    used_from(address: &str): format!("from {address}"), format!("dari {address}");
    only_devices: "Only these devices", "Hanya perangkat ini";
    only_devices_hint: "None chosen: every device, also those to come.", "Tidak ada yang dipilih: semua perangkat, juga yang akan datang.";
    device_limit(number: i32): super::count(number, "device only", "devices only"), format!("hanya {number} perangkat");
    network_limit(number: i32): super::count(number, "network only", "networks only"), format!("hanya {number} jaringan");
    networks_optional: "Only from these networks (optional)", "Hanya dari jaringan ini (opsional)";
    networks_hint: "Addresses or CIDR, separated by commas, such as 203.0.113.0/24.",
        "Alamat atau CIDR, pisahkan dengan koma, misalnya 203.0.113.0/24.";
    revoke: "Revoke", "Cabut";
    revoke_title(name: &str): format!("Revoke {name}?"), format!("Cabut {name}?");
    revoke_text: "Programs that use it stop working at once. This cannot be undone.",
        "Program yang memakainya langsung berhenti. Ini tidak dapat dibatalkan.";
    revoked: "Revoked", "Dicabut";
    expired: "Expired", "Kedaluwarsa";
    usable: "Usable", "Dapat dipakai";
    in_months(months: i32): if months == 1 { "In a month".to_owned() } else { format!("In {months} months") },
        format!("Dalam {months} bulan");
}

impl Words {
    pub fn scope(self, scope: Scope) -> &'static str {
        match self.0 {
            Language::En => match scope {
                Scope::Read => "See devices, chats, messages and events",
                Scope::Send => "Send messages, mark chats as read",
                Scope::ManageDevices => "Create, link, change and delete devices",
                Scope::Campaigns => "Run campaigns, their lists and templates",
                Scope::Admin => "Manage members and settings, read the audit log",
                Scope::Otp => "Send and verify one-time passwords",
                Scope::Webhooks => "Manage webhooks, auto-replies and chatbots",
                Scope::Media => "Upload and delete media",
                Scope::Analytics => "Read statistics and usage",
                Scope::Raw => "Send raw WhatsApp messages",
                Scope::Other => "",
            },
            Language::Id => match scope {
                Scope::Read => "Melihat perangkat, percakapan, pesan, dan peristiwa",
                Scope::Send => "Mengirim pesan, menandai percakapan dibaca",
                Scope::ManageDevices => "Membuat, menautkan, mengubah, dan menghapus perangkat",
                Scope::Campaigns => "Menjalankan kampanye, daftar, dan templatnya",
                Scope::Admin => "Mengelola anggota dan pengaturan, membaca log audit",
                Scope::Otp => "Mengirim dan memeriksa kata sandi sekali pakai",
                Scope::Webhooks => "Mengelola webhook, balasan otomatis, dan chatbot",
                Scope::Media => "Mengunggah dan menghapus media",
                Scope::Analytics => "Membaca statistik dan pemakaian",
                Scope::Raw => "Mengirim pesan WhatsApp mentah",
                Scope::Other => "",
            },
        }
    }
}
