//! Navigation, the palette, and words that belong to no page.

use super::phrases;
use crate::state::preferences::Theme;

phrases! {
    overview: "Overview", "Ringkasan";
    inbox: "Inbox", "Kotak masuk";
    devices: "Devices", "Perangkat";
    activity: "Activity", "Aktivitas";
    sandbox: "Sandbox", "Sandbox";
    testing: "Testing", "Pengujian";
    navigation: "Main navigation", "Navigasi utama";
    skip_to_content: "Skip to content", "Langsung ke isi";
    collapse_sidebar: "Collapse or expand the sidebar", "Ciutkan atau lebarkan bilah sisi";
    jump_to: "Search", "Cari";
    palette_hint: "Page, device, chat or action", "Halaman, perangkat, percakapan, atau tindakan";
    pages: "Pages", "Halaman";
    actions: "Actions", "Tindakan";
    results: "Results", "Hasil";
    name_or_number: "Name or number", "Nama atau nomor";
    more_match: "More match: type to narrow them down.", "Masih ada yang cocok: ketik untuk mempersempit.";
    nothing_found: "Nothing found.", "Tidak ditemukan.";
    account_of(name: &str): format!("{name}: account and settings"), format!("{name}: akun dan pengaturan");
    switch_tenant_from(name: &str): format!("{name}: switch tenant"), format!("{name}: ganti tenant");
    live: "Live", "Langsung";
    connecting: "Connecting…", "Menyambungkan…";
    not_live: "Not live", "Tidak langsung";
    disconnected_banner: "Live updates are interrupted. What you see may be old; Kabar is reconnecting.",
        "Pembaruan langsung terputus. Yang Anda lihat mungkin sudah lama; Kabar sedang menyambung kembali.";
    reconnect: "Reconnect now", "Sambungkan sekarang";
    shortcuts: "Keyboard shortcuts", "Pintasan keyboard";
    shortcut_palette: "Search or jump anywhere", "Cari atau buka apa saja";
    shortcut_help: "Show these shortcuts", "Tampilkan pintasan ini";
    shortcut_search: "Search in the list", "Cari dalam daftar";
    shortcut_rows: "Next and previous row", "Baris berikut dan sebelumnya";
    shortcut_open: "Open the row", "Buka baris";
    shortcut_close: "Close what is open", "Tutup yang terbuka";
    close: "Close", "Tutup";
    cancel: "Cancel", "Batal";
    create: "Create", "Buat";
    save: "Save", "Simpan";
    saved: "Saved.", "Tersimpan.";
    copy: "Copy", "Salin";
    copied: "Copied", "Tersalin";
    loading: "Loading", "Memuat";
    load_more: "Load more", "Muat lagi";
    try_again: "Try again", "Coba lagi";
    could_not_load: "This could not be loaded", "Ini tidak dapat dimuat";
    all: "All", "Semua";
    name: "Name", "Nama";
    status: "Status", "Status";
    phone_number: "Phone number", "Nomor telepon";
    not_found: "There is no such page", "Halaman ini tidak ada";
    not_found_text: "The address may be old or mistyped.", "Alamatnya mungkin lama atau salah ketik.";
    to_overview: "To the overview", "Ke ringkasan";
    type_to_confirm(name: &str): format!("Type “{name}” to confirm"), format!("Ketik “{name}” untuk mengonfirmasi");
    theme(theme: Theme): match theme {
        Theme::System => "Theme of the system",
        Theme::Light => "Light theme",
        Theme::Dark => "Dark theme",
    }.to_owned(), match theme {
        Theme::System => "Tema sistem",
        Theme::Light => "Tema terang",
        Theme::Dark => "Tema gelap",
    }.to_owned();
}
