//! The second factor and forgotten passwords.

use super::phrases;

phrases! {
    second_factor: "Second factor", "Faktor kedua";
    second_factor_text: "An authenticator app on your phone shows a code that is asked for when you sign in.",
        "Aplikasi autentikator di ponsel Anda menampilkan kode yang diminta saat Anda masuk.";
    second_factor_qr: "QR code for the authenticator app", "Kode QR untuk aplikasi autentikator";
    turn_on: "Turn on", "Aktifkan";
    turn_off: "Turn off", "Nonaktifkan";
    turn_off_second_factor: "Turn off the second factor", "Nonaktifkan faktor kedua";
    turn_off_text: "From then on your password is enough to sign in.", "Setelah itu kata sandi saja cukup untuk masuk.";
    second_factor_is_off: "The second factor is off.", "Faktor kedua nonaktif.";
    is_on: "On", "Aktif";
    go_on: "Continue", "Lanjutkan";
    scan_with_app: "Scan this with your authenticator app, then type the code that it shows.",
        "Pindai ini dengan aplikasi autentikator Anda, lalu ketik kode yang ditampilkannya.";
    or_type_secret: "Without a camera, type this into the app:", "Tanpa kamera, ketik ini ke aplikasi:";
    code_of_app: "Code of the app", "Kode dari aplikasi";
    code_or_recovery: "Code of the app, or a recovery code", "Kode dari aplikasi, atau kode pemulihan";
    recovery_codes_left(number: i32): super::count(number, "recovery code left", "recovery codes left"),
        format!("{number} kode pemulihan tersisa");
    recovery_codes_text: "Keep these codes where you find them without your phone. Each signs you in once, and they are not shown again.",
        "Simpan kode ini di tempat yang dapat Anda temukan tanpa ponsel. Masing-masing dapat dipakai masuk sekali, dan tidak ditampilkan lagi.";
    new_recovery_codes: "New recovery codes", "Kode pemulihan baru";
    new_recovery_codes_text: "The codes that you have now end.", "Kode yang Anda miliki sekarang berakhir.";

    wrong_code: "This code is wrong, or was used already.", "Kode ini salah, atau sudah dipakai.";
    forgotten_password: "Forgotten your password?", "Lupa kata sandi?";
    send_link: "Send me a link", "Kirimi saya tautan";
    reset_mailed: "If somebody signs in with this address, a link is on its way. It works for one hour.",
        "Jika ada yang masuk dengan alamat ini, tautannya sedang dikirim. Berlaku satu jam.";
    reset_not_mailed: "This server sends no mail. Ask whoever runs it for a link.",
        "Server ini tidak mengirim surel. Mintalah tautan kepada pengelolanya.";
    back_to_sign_in: "Back to sign in", "Kembali ke halaman masuk";
    link_over: "This link is over", "Tautan ini sudah tidak berlaku";
    link_over_text: "It was used, or is too old. Ask for a new one.", "Sudah dipakai, atau terlalu lama. Mintalah yang baru.";
    reset_consequence: "Every session ends; sign in with the new password.", "Semua sesi berakhir; masuklah dengan kata sandi baru.";
}
