//! Why something went wrong, in words. The server says it in English, and some of it in WhatsApp's codes: what is known of
//! that is told here for people, and whatever is not known as it was said.

use super::{Language, Words};

impl Words {
    /// Why a message was not sent. `code` may have WhatsApp's own behind it.
    pub fn failed_because(self, message: &str, code: &str) -> String {
        let known = match self.0 {
            Language::En => None,
            Language::Id => refused_message(code),
        };
        format!("{} ({code})", known.unwrap_or(message))
    }

    /// Why a device is where it is.
    pub fn device_reason(self, said: &str) -> String {
        match (self.0, device_reason(said)) {
            (Language::En, Some((english, _))) => english.to_owned(),
            (Language::Id, Some((_, indonesian))) => indonesian.to_owned(),
            (_, None) => said.to_owned(),
        }
    }
}

fn refused_message(code: &str) -> Option<&'static str> {
    Some(match code.split(' ').next()? {
        "NOT_ON_WHATSAPP" => "Nomor ini tidak memakai WhatsApp.",
        "INVALID_ADDRESS" => "WhatsApp tidak mengenal alamat ini.",
        "REACHOUT_TIMELOCK" => "WhatsApp untuk sementara tidak mengizinkan akun ini memulai percakapan baru.",
        "REJECTED" => "WhatsApp menolak pesan ini.",
        "SEND_FAILED" => "Pesan ini tidak dapat dikirim.",
        _ => return None,
    })
}

fn device_reason(said: &str) -> Option<(&'static str, &'static str)> {
    let known = DEVICE_REASONS.iter().find(|(begins, ..)| said.starts_with(begins));
    known.map(|(_, english, indonesian)| (*english, *indonesian))
}

/// How it begins as it is said, since details of what failed may follow; in English and in Indonesian.
const DEVICE_REASONS: [(&str, &str, &str); 23] = [
    ("requested", "Kabar was told to.", "Sesuai perintah kepada Kabar."),
    (
        "The device was deleted",
        "The device was deleted.",
        "Perangkat dihapus.",
    ),
    (
        "No phone scanned the code",
        "No phone scanned the code in time. Connect again for a fresh one.",
        "Tidak ada ponsel yang memindai kode tepat waktu. Sambungkan lagi untuk kode baru.",
    ),
    (
        "another connection replaced this one",
        "Another connection of this account replaced this one.",
        "Koneksi lain dari akun ini menggantikan koneksi ini.",
    ),
    (
        "its records could not be read",
        "Its stored data could not be read.",
        "Data tersimpannya tidak dapat dibaca.",
    ),
    (
        "could not connect",
        "WhatsApp could not be reached.",
        "WhatsApp tidak dapat dihubungi.",
    ),
    (
        "the connection stopped answering",
        "The connection stopped answering.",
        "Koneksi berhenti menjawab.",
    ),
    (
        "a message was not acknowledged in time",
        "WhatsApp did not confirm a message in time.",
        "WhatsApp tidak mengonfirmasi pesan tepat waktu.",
    ),
    (
        "the account is locked",
        "WhatsApp locked the account.",
        "WhatsApp mengunci akun ini.",
    ),
    (
        "AccountLocked",
        "WhatsApp locked the account.",
        "WhatsApp mengunci akun ini.",
    ),
    (
        "this version of the client is outdated",
        "WhatsApp no longer accepts this version of Kabar.",
        "WhatsApp tidak lagi menerima versi Kabar ini.",
    ),
    (
        "LoggedOut",
        "It was unlinked on the phone, or by WhatsApp.",
        "Tautannya diputus di ponsel, atau oleh WhatsApp.",
    ),
    (
        "UnknownLogout",
        "It was unlinked on the phone, or by WhatsApp.",
        "Tautannya diputus di ponsel, atau oleh WhatsApp.",
    ),
    (
        "InternalServerError",
        "WhatsApp has trouble at the moment.",
        "WhatsApp sedang bermasalah.",
    ),
    (
        "ServiceUnavailable",
        "WhatsApp has trouble at the moment.",
        "WhatsApp sedang bermasalah.",
    ),
    ("stream ended", "The connection broke off.", "Koneksi terputus."),
    ("read error", "The connection broke off.", "Koneksi terputus."),
    (
        "server close frame",
        "WhatsApp closed the connection.",
        "WhatsApp menutup koneksi.",
    ),
    (
        "101:",
        "Too many messages to people who do not have this number in their address book (101).",
        "Terlalu banyak pesan kepada orang yang tidak menyimpan nomor ini (101).",
    ),
    (
        "102:",
        "Too many people blocked this number (102).",
        "Terlalu banyak orang memblokir nomor ini (102).",
    ),
    (
        "103:",
        "Too many groups with people who do not have this number in their address book (103).",
        "Terlalu banyak grup dengan orang yang tidak menyimpan nomor ini (103).",
    ),
    (
        "104:",
        "The same message to too many people (104).",
        "Pesan yang sama kepada terlalu banyak orang (104).",
    ),
    (
        "106:",
        "Too many messages to a broadcast list (106).",
        "Terlalu banyak pesan ke daftar siaran (106).",
    ),
];
