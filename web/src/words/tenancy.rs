//! The tenant's settings, its plan and how much of it is used.

use super::phrases;
use crate::api::tenancy::{Meter, TenantStatus};

phrases! {
    usage: "Usage", "Pemakaian";
    usage_text: "What your plan allows, and how much of it is used.", "Yang diizinkan paket Anda, dan berapa yang sudah terpakai.";
    no_plan: "No plan", "Tanpa paket";
    unlimited: "No limit", "Tanpa batas";
    of_limit(limit: &str): format!("of {limit}"), format!("dari {limit}");
    begins_anew: "Begins anew", "Dimulai lagi";
    existing_now: "What exists now", "Yang ada sekarang";
    quota_event(meter: &str, percent: i32): format!("{percent}% of the limit is used: {meter}."), format!("{percent}% dari batas terpakai: {meter}.");
    limit_reached: "The limit is reached.", "Batas sudah tercapai.";
    tenant_settings: "General", "Umum";
    settings_text: "How the tenant is called, and how numbers, days and new consoles are read.",
        "Nama tenant, serta cara membaca nomor, hari, dan konsol baru.";
    tenant_name: "Name of the tenant", "Nama tenant";
    default_country: "Default country", "Negara bawaan";
    short_name: "Short name", "Nama pendek";
    default_country_hint: "Two letters, such as ID. A number without a country code is read as one of this country.",
        "Dua huruf, misalnya ID. Nomor tanpa kode negara dibaca sebagai nomor negara ini.";
    default_language: "Language of new consoles", "Bahasa konsol baru";
    time_zone: "Time zone", "Zona waktu";
    time_zone_hint: "Such as Asia/Jakarta. Days and months of the limits begin here.",
        "Misalnya Asia/Jakarta. Hari dan bulan untuk batas dimulai di sini.";
    suspended_title: "This tenant is suspended", "Tenant ini ditangguhkan";
    suspended_text: "You can read everything. Sending and changing are off, and queued messages wait.",
        "Anda dapat membaca semuanya. Pengiriman dan perubahan dinonaktifkan, dan pesan dalam antrean menunggu.";
    plan: "Plan", "Paket";
    tenant: "Tenant", "Tenant";
    meter(meter: Meter): match meter {
        Meter::Devices => "Devices",
        Meter::MessagesPerDay => "Messages per day",
        Meter::MessagesPerMonth => "Messages per month",
        Meter::CampaignRecipientsPerDay => "Campaign recipients per day",
        Meter::Contacts => "Contacts",
        Meter::MediaBytes => "Media",
        Meter::Webhooks => "Webhooks",
        Meter::Members => "Members",
        Meter::ApiCost => "API cost per minute",
        Meter::Other => "Other",
    }.to_owned(), match meter {
        Meter::Devices => "Perangkat",
        Meter::MessagesPerDay => "Pesan per hari",
        Meter::MessagesPerMonth => "Pesan per bulan",
        Meter::CampaignRecipientsPerDay => "Penerima kampanye per hari",
        Meter::Contacts => "Kontak",
        Meter::MediaBytes => "Media",
        Meter::Webhooks => "Webhook",
        Meter::Members => "Anggota",
        Meter::ApiCost => "Biaya API per menit",
        Meter::Other => "Lainnya",
    }.to_owned();
    media_in_bytes: "Media, in bytes", "Media, dalam byte";
    tenant_status(status: TenantStatus): match status {
        TenantStatus::Active => "Active",
        TenantStatus::Suspended => "Suspended",
        TenantStatus::Deleting => "Being deleted",
        TenantStatus::Other => "Unknown",
    }.to_owned(), match status {
        TenantStatus::Active => "Aktif",
        TenantStatus::Suspended => "Ditangguhkan",
        TenantStatus::Deleting => "Sedang dihapus",
        TenantStatus::Other => "Tidak dikenal",
    }.to_owned();
}
