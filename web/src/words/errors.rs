//! What went wrong and what to do, in words.

use super::{Language, Words, language, phrases, words};
use crate::api::{
    error::ApiError,
    values::{ErrorCode, UserError},
};

phrases! {
    error_offline: "The server cannot be reached. Check your connection and try again.",
        "Server tidak dapat dihubungi. Periksa koneksi Anda lalu coba lagi.";
    error_signed_out: "Your session has ended. Sign in again.", "Sesi Anda berakhir. Silakan masuk lagi.";
    error_forbidden: "Your role does not allow this. Ask an owner or admin of this tenant.",
        "Peran Anda tidak mengizinkan ini. Minta kepada pemilik atau admin tenant ini.";
    error_unexpected: "Something went wrong on the server. Try again in a moment.",
        "Terjadi kesalahan di server. Coba lagi sebentar lagi.";
    error_rate_limited: "Too many attempts. Wait a moment and try again.", "Terlalu banyak percobaan. Tunggu sebentar lalu coba lagi.";
}

/// An error for people.
pub fn explain(error: &ApiError) -> String {
    let words = words();
    match error {
        ApiError::Offline => words.error_offline().to_owned(),
        ApiError::SignedOut => words.error_signed_out().to_owned(),
        ApiError::Forbidden => words.error_forbidden().to_owned(),
        ApiError::Refused(errors) => {
            let lines: Vec<String> = errors.iter().map(refusal).collect();
            if lines.is_empty() {
                words.error_unexpected().to_owned()
            } else {
                lines.join(" ")
            }
        }
        ApiError::Failed { code, message } => match code.as_deref() {
            Some("TENANT_SUSPENDED") => format!("{}. {}", words.suspended_title(), words.suspended_text()),
            Some("RATE_LIMITED") => words.error_rate_limited().to_owned(),
            Some("INTERNAL") | None if message.is_empty() => words.error_unexpected().to_owned(),
            Some("BAD_REQUEST" | "INVALID_INPUT") => message.clone(),
            _ => format!("{} ({message})", words.error_unexpected()),
        },
    }
}

/// The server speaks English; in Indonesian the code is translated.
pub fn refusal(error: &UserError) -> String {
    match language() {
        Language::En => error.message.clone(),
        Language::Id => Words(Language::Id)
            .refused(error.code)
            .unwrap_or(&error.message)
            .to_owned(),
    }
}

impl Words {
    fn refused(self, code: ErrorCode) -> Option<&'static str> {
        Some(match code {
            ErrorCode::InvalidPhoneNumber => "Nomor telepon tidak valid. Tulis dengan kode negara, misalnya +62 812….",
            ErrorCode::NotFound => "Tidak ditemukan.",
            ErrorCode::AlreadyExists => "Sudah ada.",
            ErrorCode::Conflict => "Tidak dapat dilakukan dalam keadaan sekarang.",
            ErrorCode::Forbidden => self.error_forbidden(),
            ErrorCode::InvalidCredentials => self.wrong_password(),
            ErrorCode::SecondFactorRequired => "Berikan juga kode dari aplikasi autentikator Anda.",
            ErrorCode::InvalidCode => self.wrong_code(),
            ErrorCode::SessionExpired => self.error_signed_out(),
            ErrorCode::NotConnected => "Perangkat tidak tersambung.",
            ErrorCode::NotLinked => "Perangkat belum ditautkan.",
            ErrorCode::AlreadyLinked => "Perangkat sudah ditautkan.",
            ErrorCode::NotOnWhatsapp => "Nomor ini tidak memakai WhatsApp.",
            ErrorCode::RecipientBlocked => "Penerima tidak dapat dihubungi dari akun ini.",
            ErrorCode::TimedOut => "Tidak selesai tepat waktu. Prosesnya tetap berjalan.",
            ErrorCode::QuotaExceeded => "Batas paket Anda sudah tercapai. Lihat halaman Pemakaian.",
            ErrorCode::RateLimited => self.error_rate_limited(),
            ErrorCode::Sandbox => "Ditolak oleh sandbox.",
            ErrorCode::InvalidInput | ErrorCode::Other => return None,
        })
    }
}
