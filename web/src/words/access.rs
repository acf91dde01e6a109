//! Letting operators into tenants, and what else they do to a single one.

use super::{Language, Words, count, phrases};
use crate::api::account::Role;

phrases! {
    no_such_tenant: "No such tenant", "Tenant tidak ada";
    no_such_tenant_text: "It was deleted, or the address is wrong.", "Sudah dihapus, atau alamatnya salah.";
    to_tenants: "To the tenants", "Ke daftar tenant";
    enter: "Enter", "Masuk";
    enter_tenant: "Enter tenant", "Masuk ke tenant";
    enter_named(name: &str): format!("Enter {name}"), format!("Masuk ke {name}");
    enter_text: "You do not belong to this tenant. Its audit log tells that you were let in, why, and everything you do.",
        "Anda bukan anggota tenant ini. Log auditnya mencatat bahwa Anda masuk, alasannya, dan semua yang Anda lakukan.";
    reason: "Reason", "Alasan";
    reason_hint: "The tenant reads it. A ticket's number is a good one.", "Dibaca oleh tenant. Nomor tiket adalah alasan yang baik.";
    access_role: "As", "Sebagai";
    access_length: "For", "Selama";
    minutes(number: i32): count(number, "minute", "minutes"), format!("{number} menit");
    hours(number: i32): count(number, "hour", "hours"), format!("{number} jam");
    access: "Operators who were let in", "Operator yang pernah masuk";
    no_access: "Nobody was let in yet.", "Belum ada yang masuk.";
    let_in_now: "Let in", "Sedang masuk";
    over: "Over", "Selesai";
    until: "Until", "Sampai";
    end_access: "End", "Akhiri";
    access_ended: "The access is ended.", "Akses diakhiri.";
    acting_in(tenant: &str, role: Role): format!("You act in {tenant} as {}.", Words(Language::En).role_name(role)),
        format!("Anda bertindak di {tenant} sebagai {}.", Words(Language::Id).role_name(role));
    access_ends: "It ends", "Berakhir";
    leave: "Leave", "Keluar dari sini";
    delete_tenant: "Delete tenant", "Hapus tenant";
    delete_tenant_title(name: &str): format!("Delete {name}?"), format!("Hapus {name}?");
    delete_tenant_text: "Its people and programs are out at once, its devices are unlinked, and everything it owns is deleted. This cannot be undone.",
        "Orang dan programnya langsung keluar, perangkatnya dilepas, dan semua miliknya dihapus. Ini tidak dapat dibatalkan.";
    tenant_deleting(name: &str): format!("{name} is being deleted."), format!("{name} sedang dihapus.");
    export_tenant: "Export", "Ekspor";
    export_text: "Everything the tenant owns, as a ZIP archive with a file per table. No secret is in it.",
        "Semua milik tenant, sebagai arsip ZIP dengan satu berkas per tabel. Tidak ada rahasia di dalamnya.";
    export_download: "Download archive", "Unduh arsip";
    export_by_entering: "Enter the tenant as admin, then download it there under Settings, General.",
        "Masuk ke tenant sebagai admin, lalu unduh di sana pada Pengaturan, Umum.";
    audit_of_tenant: "Audit log of this tenant", "Log audit tenant ini";
    platform_audit_text: "Who did what, in every tenant and on the platform itself.",
        "Siapa melakukan apa, di setiap tenant dan di platform sendiri.";
    only_platform: "The platform's own", "Milik platform sendiri";
    only_tenant(name: &str): format!("In {name}"), format!("Di {name}");
    filter_tenant(name: &str): format!("Only what happened in {name}"), format!("Hanya yang terjadi di {name}");
    only_grant(id: &str): format!("Under {id}"), format!("Dengan {id}");
    all_under_grant: "Everything under this access", "Semua dengan akses ini";
    access_grant: "Access", "Akses";
    password_link: "Password link", "Tautan kata sandi";
    password_link_title: "A link for a new password", "Tautan untuk kata sandi baru";
    password_link_who: "For somebody whom no mail reaches. Make sure that it is really them who ask.",
        "Untuk orang yang tidak terjangkau email. Pastikan benar-benar mereka yang meminta.";
    password_link_text: "Pass it on to the person now: it works once, for 24 hours, and is not shown again. Following it ends all their sessions.",
        "Teruskan kepada orangnya sekarang: berlaku sekali, selama 24 jam, dan tidak ditampilkan lagi. Memakainya mengakhiri semua sesinya.";
    nobody_has_address: "Nobody has this address.", "Tidak ada yang memakai alamat ini.";
    make_link: "Make link", "Buat tautan";
}
