//! The pages of those who run the platform.

use super::phrases;
use crate::api::platform::settings::RateRule;

phrases! {
    running_kabar: "Operation", "Operasi";
    operator_pages: "Platform", "Platform";
    tenants: "Tenants", "Tenant";
    search_tenants: "Search tenants", "Cari tenant";
    create_tenant: "Create tenant", "Buat tenant";
    no_tenants: "No tenant matches", "Tidak ada tenant yang cocok";
    owner_email: "Email of the first owner", "Email pemilik pertama";
    owner_email_hint: "Somebody with an account gets this tenant too. Somebody new gets a password, shown once.",
        "Pengguna yang sudah punya akun mendapat tenant ini juga. Pengguna baru mendapat kata sandi yang ditampilkan sekali.";
    tenant_created(name: &str): format!("{name} is ready."), format!("{name} sudah siap.");
    owner_password: "The owner's first password", "Kata sandi pertama pemilik";
    owner_password_text: "Give it to the owner now: it is not kept and cannot be shown again.",
        "Berikan kepada pemilik sekarang: kata sandi ini tidak disimpan dan tidak dapat ditampilkan lagi.";
    edit_tenant: "Edit tenant", "Ubah tenant";
    suspend: "Suspend", "Tangguhkan";
    suspend_tenant(name: &str): format!("Suspend {name}?"), format!("Tangguhkan {name}?");
    suspend_text: "Its members can still read, but nothing is sent or changed until you lift it. Queued messages wait.",
        "Anggotanya masih dapat membaca, tetapi tidak ada yang dikirim atau diubah sampai Anda mencabutnya. Pesan dalam antrean menunggu.";
    activate: "Lift suspension", "Cabut penangguhan";
    plans: "Plans", "Paket";
    create_plan: "Create plan", "Buat paket";
    edit_plan: "Edit plan", "Ubah paket";
    delete_plan(name: &str): format!("Delete the plan {name}?"), format!("Hapus paket {name}?");
    delete_plan_text: "This works only while no tenant has it.", "Hanya bisa selama tidak ada tenant yang memakainya.";
    no_plans: "No plans yet", "Belum ada paket";
    no_plans_text: "A plan says how much its tenants may use. A tenant without a plan has no limits.",
        "Paket menentukan berapa banyak yang boleh dipakai tenant. Tenant tanpa paket tidak dibatasi.";
    description_optional: "Description (optional)", "Keterangan (opsional)";
    limits: "Limits", "Batas";
    change_limits: "Change limits", "Ubah batas";
    limits_of(name: &str): format!("Limits of {name}"), format!("Batas untuk {name}");
    limit: "Limit", "Batas";
    overrides: "Agreed beside the plan", "Disepakati di luar paket";
    no_overrides: "Every limit is the plan's.", "Semua batas mengikuti paket.";
    overrides_hint: "A limit of its own wins over the plan's, now and when the plan changes.",
        "Batas sendiri menggantikan batas paket, sekarang dan saat paket berubah.";
    of_plan: "Plan", "Paket";
    of_this_tenant: "This tenant", "Tenant ini";
    as_plan(limit: &str): format!("As the plan: {limit}"), format!("Ikut paket: {limit}");
    own_limit: "Limit of its own", "Batas sendiri";
    own_limit_missing: "Write a whole number wherever you chose a limit of its own.",
        "Tulis bilangan bulat di setiap batas sendiri.";
    limits_hint: "An empty field is no limit.", "Kolom kosong berarti tanpa batas.";
    whole_number: "Write a whole number, or nothing.", "Tulis bilangan bulat, atau kosongkan.";
    platform_settings: "Platform settings", "Pengaturan platform";
    platform_settings_text: "They hold on every server within two seconds, without a restart.",
        "Berlaku di setiap server dalam dua detik, tanpa mulai ulang.";
    rate_limits: "Rate limits", "Batas laju";
    most: "At most", "Paling banyak";
    window_seconds: "In seconds", "Dalam detik";
    webhook_default: "Default address of webhooks (optional)", "Alamat webhook bawaan (opsional)";
    of_rule(label: &str, rule: &str): format!("{rule}: {label}"), format!("{rule}: {label}");
    suspension_reason: "Reason (optional)", "Alasan (opsional)";
    suspension_reason_hint: "Its members see it in a banner.", "Anggotanya melihat ini di spanduk.";
    short_name_hint: "For addresses and configuration: lower-case letters, digits and dashes.",
        "Untuk alamat dan konfigurasi: huruf kecil, angka, dan tanda hubung.";
    tenant_count(number: i32): super::count(number, "tenant", "tenants"), format!("{} tenant", crate::state::format::number(number));
    tenant_suspended(name: &str): format!("{name} is suspended."), format!("{name} ditangguhkan.");
    tenant_activated(name: &str): format!("{name} acts again."), format!("{name} aktif lagi.");
    no_tenants_text: "A tenant is a customer with members, devices and limits of its own.",
        "Tenant adalah pelanggan dengan anggota, perangkat, dan batasnya sendiri.";
    rate_rule(rule: RateRule): match rule {
        RateRule::AnonymousRequests => "Requests without login, per address",
        RateRule::ApiCost => "API cost, per tenant",
        RateRule::LoginFailuresPerAccount => "Failed logins, per account",
        RateRule::LoginFailuresPerAddress => "Failed logins, per address",
        RateRule::CampaignStarts => "Campaigns started, per tenant",
        RateRule::Uploads => "Uploads, per tenant",
        RateRule::OtpSends => "One-time passwords, per number",
        RateRule::Other => "Other",
    }.to_owned(), match rule {
        RateRule::AnonymousRequests => "Permintaan tanpa login, per alamat",
        RateRule::ApiCost => "Biaya API, per tenant",
        RateRule::LoginFailuresPerAccount => "Login gagal, per akun",
        RateRule::LoginFailuresPerAddress => "Login gagal, per alamat",
        RateRule::CampaignStarts => "Kampanye dimulai, per tenant",
        RateRule::Uploads => "Unggahan, per tenant",
        RateRule::OtpSends => "Kata sandi sekali pakai, per nomor",
        RateRule::Other => "Lainnya",
    }.to_owned();
}
