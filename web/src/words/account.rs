//! Signing in, and what there is before that.

use super::phrases;

phrases! {
    sign_in_title: "Sign in to your console", "Masuk ke konsol Anda";
    sign_in: "Sign in", "Masuk";
    sign_out: "Sign out", "Keluar";
    email: "Email", "Email";
    password: "Password", "Kata sandi";
    wrong_password: "Email or password is wrong.", "Email atau kata sandi salah.";
    language: "Language", "Bahasa";
    unreachable: "The server cannot be reached", "Server tidak dapat dihubungi";
    unreachable_text: "Check your connection. The console tries again by itself every few seconds.",
        "Periksa koneksi Anda. Konsol mencoba lagi sendiri setiap beberapa detik.";
}
