//! Where somebody is signed in, and the password.

use super::phrases;

phrases! {
    sessions: "Sessions", "Sesi";
    sessions_text: "Where you are signed in. End what you do not know, then change your password.",
        "Tempat Anda masuk. Akhiri yang tidak Anda kenal, lalu ganti kata sandi Anda.";
    this_session: "This one", "Yang ini";
    signed_in_since: "Signed in", "Masuk";
    end_session: "End", "Akhiri";
    session_ended: "The session is ended.", "Sesi diakhiri.";
    end_all_sessions: "Sign out everywhere", "Keluar di semua tempat";
    end_all_sessions_title: "Sign out everywhere?", "Keluar di semua tempat?";
    end_all_sessions_text: "Every session ends at once, this one too.", "Semua sesi langsung berakhir, termasuk yang ini.";
    unknown_client: "Unknown client", "Klien tidak dikenal";
    client_on(client: &str, system: &str): format!("{client} on {system}"), format!("{client} di {system}");
    change_password: "Change password", "Ganti kata sandi";
    change_password_text: "Every other session ends when you change it.", "Semua sesi lain berakhir saat Anda menggantinya.";
    current_password: "Current password", "Kata sandi sekarang";
    new_password: "New password", "Kata sandi baru";
    password_changed: "Your password is changed. Every other session ended.", "Kata sandi Anda diganti. Semua sesi lain berakhir.";
    wrong_current_password: "This is not your current password.", "Ini bukan kata sandi Anda sekarang.";
}
