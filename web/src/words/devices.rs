//! Devices: statuses, linking, actions.

use super::{Language, Words, count, phrases};
use crate::{
    api::devices::{Action, DeviceStatus},
    state::format,
};

phrases! {
    search_devices: "Search devices", "Cari perangkat";
    filter_by_status: "Filter by status", "Saring menurut status";
    create_device: "Create device", "Buat perangkat";
    edit_device: "Edit device", "Ubah perangkat";
    no_devices: "No devices yet", "Belum ada perangkat";
    no_devices_text: "A device is a WhatsApp account linked to Kabar. Create one, then scan its code with your phone.",
        "Perangkat adalah akun WhatsApp yang ditautkan ke Kabar. Buat satu, lalu pindai kodenya dengan ponsel Anda.";
    no_device_matches: "No device matches", "Tidak ada perangkat yang cocok";
    no_match_text: "Change the search or the filter.", "Ubah pencarian atau saringan.";
    no_such_device: "There is no such device", "Perangkat ini tidak ada";
    no_such_device_text: "It may have been deleted.", "Mungkin sudah dihapus.";
    to_devices: "To the devices", "Ke daftar perangkat";
    to_device: "To the device", "Ke perangkat";
    waiting: "Waiting", "Menunggu";
    unread: "Unread", "Belum dibaca";
    last_activity: "Last activity", "Aktivitas terakhir";
    last_connected: "Last connected", "Terakhir tersambung";
    status_since: "In this status since", "Status ini sejak";
    push_name: "WhatsApp name", "Nama WhatsApp";
    platform: "Platform", "Platform";
    queue: "Queue", "Antrean";
    connection_attempts: "Connection attempts", "Percobaan sambungan";
    created: "Created", "Dibuat";
    key: "Key", "Kunci";
    facts: "Facts", "Data";
    name_hint: "What your team calls this account.", "Sebutan akun ini di tim Anda.";
    name_missing: "Give the device a name.", "Beri nama perangkat.";
    key_optional: "Key (optional)", "Kunci (opsional)";
    key_hint: "Your own id for the API: 3–50 letters, digits, _ or -.", "ID Anda sendiri untuk API: 3–50 huruf, angka, _ atau -.";
    key_malformed: "Use 3 to 50 letters, digits, _ or -.", "Gunakan 3 sampai 50 huruf, angka, _ atau -.";
    remark_optional: "Remark (optional)", "Catatan (opsional)";
    tags_optional: "Tags (optional)", "Tag (opsional)";
    tags_hint: "Separated by commas.", "Pisahkan dengan koma.";
    link_device: "Link this device", "Tautkan perangkat ini";
    link_start_title: "Link a WhatsApp account", "Tautkan akun WhatsApp";
    link_start_text: "You scan a code with the phone that has the account. The phone stays yours; Kabar becomes one of its linked devices.",
        "Anda memindai kode dengan ponsel yang memiliki akun itu. Ponsel tetap milik Anda; Kabar menjadi salah satu perangkat tertautnya.";
    show_qr: "Show QR code", "Tampilkan kode QR";
    link_title: "Scan this code with your phone", "Pindai kode ini dengan ponsel Anda";
    link_step_one: "Open WhatsApp on your phone.", "Buka WhatsApp di ponsel Anda.";
    link_step_two: "Open the menu ⋮ (Android) or Settings (iPhone) and choose Linked devices.",
        "Buka menu ⋮ (Android) atau Pengaturan (iPhone), lalu pilih Perangkat tertaut.";
    link_step_three: "Choose Link a device and point the camera at this code.",
        "Pilih Tautkan perangkat dan arahkan kamera ke kode ini.";
    qr_alt: "QR code that links this device", "Kode QR yang menautkan perangkat ini";
    getting_code: "Getting a code…", "Mengambil kode…";
    pairing: "Scanned. Linking…", "Terpindai. Menautkan…";
    next_code_in(time: &str): format!("Next code in {time}"), format!("Kode berikutnya dalam {time}");
    print_or_show: "Print or show large", "Cetak atau tampilkan besar";
    print: "Print", "Cetak";
    print_hint: "WhatsApp replaces the code within a minute, and this page shows the newest. Scan a printed one at once.",
        "WhatsApp mengganti kode dalam satu menit, dan halaman ini menampilkan yang terbaru. Segera pindai yang dicetak.";
    code_until(time: &str): format!("This code is good until {time}."), format!("Kode ini berlaku sampai {time}.");
    no_code_now: "There is no code now. Begin linking on the device's page.",
        "Belum ada kode. Mulai penautan di halaman perangkat.";
    link_with_number: "Link with a phone number instead", "Tautkan dengan nomor telepon saja";
    your_phone_number: "Phone number of the WhatsApp account", "Nomor telepon akun WhatsApp";
    get_pairing_code: "Get pairing code", "Ambil kode penautan";
    pairing_code_title: "Enter this code on your phone", "Masukkan kode ini di ponsel Anda";
    pairing_code_hint: "In WhatsApp: Linked devices, Link a device, Link with phone number instead.",
        "Di WhatsApp: Perangkat tertaut, Tautkan perangkat, Tautkan dengan nomor telepon saja.";
    celebration: "Linked. Messages flow from now on.", "Tertaut. Pesan mengalir mulai sekarang.";
    open_chats: "Open chats", "Buka percakapan";
    unread_messages(number: i32): count(number, "unread message", "unread messages"),
        format!("{} pesan belum dibaca", format::number(number));
    device_count(number: i32): count(number, "device", "devices"), format!("{} perangkat", format::number(number));
    queue_depth(waiting: i32, sending: i32):
        format!("{} waiting, {} sending", format::number(waiting), format::number(sending)),
        format!("{} menunggu, {} dikirim", format::number(waiting), format::number(sending));
    connect: "Connect", "Sambungkan";
    disconnect: "Disconnect", "Putuskan";
    stop_linking: "Stop linking", "Batalkan penautan";
    restart: "Restart", "Mulai ulang";
    edit: "Edit", "Ubah";
    log_out_device: "Log out", "Keluarkan";
    wipe: "Wipe credentials", "Hapus kredensial";
    delete: "Delete", "Hapus";
    more_actions: "More actions", "Tindakan lain";
    log_out_title(name: &str): format!("Log out {name}?"), format!("Keluarkan {name}?");
    log_out_consequence: "The account is unlinked from Kabar, on the phone too. Waiting messages stay. To send again you have to scan a new code.",
        "Akun dilepas dari Kabar, juga di ponsel. Pesan yang menunggu tetap ada. Untuk mengirim lagi Anda harus memindai kode baru.";
    wipe_title(name: &str): format!("Wipe the credentials of {name}?"), format!("Hapus kredensial {name}?");
    wipe_consequence: "Kabar forgets the keys of this account without telling WhatsApp; the phone may still list the device. Chats stay. To send again you have to scan a new code.",
        "Kabar melupakan kunci akun ini tanpa memberi tahu WhatsApp; ponsel mungkin masih menampilkannya. Percakapan tetap ada. Untuk mengirim lagi Anda harus memindai kode baru.";
    delete_title(name: &str): format!("Delete {name}?"), format!("Hapus {name}?");
    delete_consequence: "The device is unlinked and deleted with all its chats and messages. This cannot be undone.",
        "Perangkat dilepas dan dihapus beserta semua percakapan dan pesannya. Ini tidak dapat dibatalkan.";
    device_deleted(name: &str): format!("{name} is deleted."), format!("{name} dihapus.");
    sandbox_phone: "Sandbox phone", "Ponsel sandbox";
    linked_devices_on_phone: "Linked devices", "Perangkat tertaut";
    number_of_phone: "Number of this phone", "Nomor ponsel ini";
    scan_code: "Scan the code", "Pindai kode";
    enter_code: "Enter the code", "Masukkan kode";
    sandbox_phone_hint: "A simulated phone of the sandbox. Choose one or type a number; a new phone is made for it.",
        "Ponsel tiruan dari sandbox. Pilih satu atau ketik nomor; ponsel baru dibuat untuknya.";
}

impl Words {
    pub fn device_status(self, status: DeviceStatus) -> &'static str {
        match (self.0, status) {
            (Language::En, DeviceStatus::Created) => "Not linked",
            (Language::Id, DeviceStatus::Created) => "Belum tertaut",
            (Language::En, DeviceStatus::Connecting) => "Connecting",
            (Language::Id, DeviceStatus::Connecting) => "Menyambung",
            (Language::En, DeviceStatus::QrReady) => "Waiting for scan",
            (Language::Id, DeviceStatus::QrReady) => "Menunggu pindai",
            (Language::En, DeviceStatus::Pairing) => "Pairing",
            (Language::Id, DeviceStatus::Pairing) => "Menautkan",
            (Language::En, DeviceStatus::PasskeyRequired) => "Passkey needed",
            (Language::Id, DeviceStatus::PasskeyRequired) => "Perlu passkey",
            (Language::En, DeviceStatus::Connected) => "Connected",
            (Language::Id, DeviceStatus::Connected) => "Tersambung",
            (Language::En, DeviceStatus::Degraded) => "Degraded",
            (Language::Id, DeviceStatus::Degraded) => "Terganggu",
            (Language::En, DeviceStatus::Disconnected) => "Disconnected",
            (Language::Id, DeviceStatus::Disconnected) => "Terputus",
            (Language::En, DeviceStatus::LoggedOut) => "Logged out",
            (Language::Id, DeviceStatus::LoggedOut) => "Dikeluarkan",
            (Language::En, DeviceStatus::Banned) => "Banned",
            (Language::Id, DeviceStatus::Banned) => "Diblokir",
            (Language::En, DeviceStatus::Failed) => "Failed",
            (Language::Id, DeviceStatus::Failed) => "Gagal",
            (Language::En, DeviceStatus::Other) => "Unknown",
            (Language::Id, DeviceStatus::Other) => "Tidak dikenal",
        }
    }

    /// What is the matter, and what to do.
    pub fn device_trouble(self, status: DeviceStatus) -> &'static str {
        match (self.0, status) {
            (Language::En, DeviceStatus::Degraded) => {
                "Connected, but nothing comes through. Kabar reconnects by itself; restarting may be quicker."
            }
            (Language::Id, DeviceStatus::Degraded) => {
                "Tersambung, tetapi tidak ada yang lewat. Kabar menyambung ulang sendiri; memulai ulang mungkin lebih cepat."
            }
            (Language::En, DeviceStatus::LoggedOut) => {
                "The account was logged out, here or on the phone. Link it again to send."
            }
            (Language::Id, DeviceStatus::LoggedOut) => {
                "Akun dikeluarkan, di sini atau di ponsel. Tautkan lagi untuk mengirim."
            }
            (Language::En, DeviceStatus::Banned) => "WhatsApp banned this account. Appeal in the app on the phone.",
            (Language::Id, DeviceStatus::Banned) => {
                "WhatsApp memblokir akun ini. Ajukan banding lewat aplikasi di ponsel."
            }
            (Language::En, DeviceStatus::Failed) => {
                "The device could not be started. Restart it; if that fails, wipe it and link again."
            }
            (Language::Id, DeviceStatus::Failed) => {
                "Perangkat tidak dapat dijalankan. Mulai ulang; bila gagal, hapus kredensialnya dan tautkan lagi."
            }
            (Language::En, DeviceStatus::PasskeyRequired) => {
                "The phone asks for a passkey. Confirm it there to finish linking."
            }
            (Language::Id, DeviceStatus::PasskeyRequired) => {
                "Ponsel meminta passkey. Konfirmasikan di sana untuk menyelesaikan penautan."
            }
            (Language::En, _) => "The device is not connected. Messages wait until it is.",
            (Language::Id, _) => "Perangkat tidak tersambung. Pesan menunggu sampai tersambung.",
        }
    }

    pub fn device_filter(self, name: &str) -> &'static str {
        match (self.0, name) {
            (Language::En, "connected") => "Connected",
            (Language::Id, "connected") => "Tersambung",
            (Language::En, "linking") => "Linking",
            (Language::Id, "linking") => "Sedang ditautkan",
            (Language::En, "attention") => "Needs attention",
            (Language::Id, "attention") => "Perlu perhatian",
            (Language::En, _) => "Not linked",
            (Language::Id, _) => "Belum tertaut",
        }
    }

    pub fn device_done(self, action: Action) -> &'static str {
        match (self.0, action) {
            (Language::En, Action::Connect) => "Connecting.",
            (Language::Id, Action::Connect) => "Menyambungkan.",
            (Language::En, Action::Disconnect) => "Disconnected. The link stays.",
            (Language::Id, Action::Disconnect) => "Terputus. Tautan tetap ada.",
            (Language::En, Action::Restart) => "Restarting.",
            (Language::Id, Action::Restart) => "Memulai ulang.",
            (Language::En, Action::Logout) => "Logged out and unlinked.",
            (Language::Id, Action::Logout) => "Dikeluarkan dan dilepas.",
            (Language::En, Action::Wipe) => "Credentials wiped.",
            (Language::Id, Action::Wipe) => "Kredensial dihapus.",
        }
    }
}
