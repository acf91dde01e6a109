//! The audit log: what was done, in words.

use super::{Language, Words, phrases};
use crate::api::audit::{AuditAction, AuditActorKind};

phrases! {
    audit_log: "Audit log", "Log audit";
    audit_log_text: "Who did what, from where. Entries are never changed.",
        "Siapa melakukan apa, dan dari mana. Catatan tidak pernah diubah.";
    no_entries: "No entry matches", "Tidak ada catatan yang cocok";
    no_entries_text: "Choose another time or action.", "Pilih waktu atau tindakan lain.";
    action: "Action", "Tindakan";
    every_action: "Every action", "Semua tindakan";
    first_day: "From", "Dari";
    last_day: "Until", "Sampai";
    export_csv: "Export CSV", "Ekspor CSV";
    only_actor(name: &str): format!("By {name}"), format!("Oleh {name}");
    only_object(name: &str): format!("About {name}"), format!("Tentang {name}");
    remove_filter(name: &str): format!("{name}: remove this filter"), format!("{name}: hapus saringan ini");
    filter_actor(name: &str): format!("Only what {name} did"), format!("Hanya yang dilakukan {name}");
    all_about_it: "Everything about it", "Semua tentang ini";
    details: "Details", "Rincian";
    field: "Field", "Bidang";
    before: "Before", "Sebelum";
    after: "After", "Sesudah";
    address: "Address", "Alamat";
    client: "Client", "Klien";
}

impl Words {
    /// Follows the name of who did it.
    pub fn audit_action(self, action: AuditAction) -> &'static str {
        match self.0 {
            Language::En => match action {
                AuditAction::LoggedIn => "signed in",
                AuditAction::LoginFailed => "failed to sign in",
                AuditAction::LoggedOut => "signed out",
                AuditAction::RefreshTokenReused => "used a session's key twice: the session was ended",
                AuditAction::PasswordChanged => "changed the password",
                AuditAction::SecondFactorEnabled => "turned the second factor on",
                AuditAction::SecondFactorDisabled => "turned the second factor off",
                AuditAction::SecondFactorReset => "reset a second factor",
                AuditAction::RecoveryCodesRenewed => "made new recovery codes",
                AuditAction::RecoveryCodeUsed => "used a recovery code",
                AuditAction::PasswordResetRequested => "asked for a new password",
                AuditAction::PasswordResetLinkCreated => "made a link for a new password",
                AuditAction::PasswordReset => "set a new password by a link",
                AuditAction::SessionEnded => "ended a session",
                AuditAction::MemberInvited => "invited a member",
                AuditAction::InvitationRenewed => "made a new invitation link",
                AuditAction::InvitationRevoked => "took an invitation back",
                AuditAction::InvitationAccepted => "accepted an invitation",
                AuditAction::MemberUpdated => "changed a member's role",
                AuditAction::MemberRemoved => "removed a member",
                AuditAction::TenantEntered => "came over to this tenant",
                AuditAction::ApiTokenCreated => "created an API token",
                AuditAction::ApiTokenUpdated => "changed an API token",
                AuditAction::ApiTokenRevoked => "revoked an API token",
                AuditAction::DeviceCreated => "created a device",
                AuditAction::DeviceUpdated => "changed a device",
                AuditAction::DeviceConnected => "connected a device",
                AuditAction::DevicePairingCodeRequested => "asked for a pairing code",
                AuditAction::DeviceLinked => "linked a device",
                AuditAction::DeviceDisconnected => "disconnected a device",
                AuditAction::DeviceRestarted => "restarted a device",
                AuditAction::DeviceLoggedOut => "logged a device out",
                AuditAction::DeviceWiped => "wiped a device's credentials",
                AuditAction::DeviceDeleted => "deleted a device",
                AuditAction::TenantSettingsUpdated => "changed the tenant's settings",
                AuditAction::TenantCreated => "created the tenant",
                AuditAction::TenantUpdated => "changed the tenant",
                AuditAction::TenantSuspended => "suspended the tenant",
                AuditAction::TenantActivated => "lifted the suspension",
                AuditAction::TenantDeletionBegun => "began to delete the tenant",
                AuditAction::TenantDeleted => "deleted the tenant",
                AuditAction::TenantExported => "exported the tenant's data",
                AuditAction::TenantAccessGranted => "was let into the tenant",
                AuditAction::TenantAccessRevoked => "ended an operator's access",
                AuditAction::PlanCreated => "created a plan",
                AuditAction::PlanUpdated => "changed a plan",
                AuditAction::PlanDeleted => "deleted a plan",
                AuditAction::PlatformSettingsUpdated => "changed the platform's settings",
                AuditAction::AuditLogExported => "exported the audit log",
                AuditAction::OperatorCreated => "made an operator",
                AuditAction::EncryptionKeyRotated => "rotated the encryption key",
                AuditAction::SigningKeyRotated => "rotated the signing key",
                AuditAction::Other => "did something",
            },
            Language::Id => match action {
                AuditAction::LoggedIn => "masuk",
                AuditAction::LoginFailed => "gagal masuk",
                AuditAction::LoggedOut => "keluar",
                AuditAction::RefreshTokenReused => "memakai kunci sesi dua kali: sesi diakhiri",
                AuditAction::PasswordChanged => "mengganti kata sandi",
                AuditAction::SecondFactorEnabled => "mengaktifkan faktor kedua",
                AuditAction::SecondFactorDisabled => "menonaktifkan faktor kedua",
                AuditAction::SecondFactorReset => "mengatur ulang faktor kedua",
                AuditAction::RecoveryCodesRenewed => "membuat kode pemulihan baru",
                AuditAction::RecoveryCodeUsed => "memakai kode pemulihan",
                AuditAction::PasswordResetRequested => "meminta kata sandi baru",
                AuditAction::PasswordResetLinkCreated => "membuat tautan kata sandi baru",
                AuditAction::PasswordReset => "mengatur kata sandi baru lewat tautan",
                AuditAction::SessionEnded => "mengakhiri sesi",
                AuditAction::MemberInvited => "mengundang anggota",
                AuditAction::InvitationRenewed => "membuat tautan undangan baru",
                AuditAction::InvitationRevoked => "menarik undangan",
                AuditAction::InvitationAccepted => "menerima undangan",
                AuditAction::MemberUpdated => "mengubah peran anggota",
                AuditAction::MemberRemoved => "mengeluarkan anggota",
                AuditAction::TenantEntered => "beralih ke tenant ini",
                AuditAction::ApiTokenCreated => "membuat token API",
                AuditAction::ApiTokenUpdated => "mengubah token API",
                AuditAction::ApiTokenRevoked => "mencabut token API",
                AuditAction::DeviceCreated => "membuat perangkat",
                AuditAction::DeviceUpdated => "mengubah perangkat",
                AuditAction::DeviceConnected => "menyambungkan perangkat",
                AuditAction::DevicePairingCodeRequested => "meminta kode penautan",
                AuditAction::DeviceLinked => "menautkan perangkat",
                AuditAction::DeviceDisconnected => "memutuskan perangkat",
                AuditAction::DeviceRestarted => "memulai ulang perangkat",
                AuditAction::DeviceLoggedOut => "mengeluarkan perangkat",
                AuditAction::DeviceWiped => "menghapus kredensial perangkat",
                AuditAction::DeviceDeleted => "menghapus perangkat",
                AuditAction::TenantSettingsUpdated => "mengubah pengaturan tenant",
                AuditAction::TenantCreated => "membuat tenant",
                AuditAction::TenantUpdated => "mengubah tenant",
                AuditAction::TenantSuspended => "menangguhkan tenant",
                AuditAction::TenantActivated => "mencabut penangguhan",
                AuditAction::TenantDeletionBegun => "mulai menghapus tenant",
                AuditAction::TenantDeleted => "menghapus tenant",
                AuditAction::TenantExported => "mengekspor data tenant",
                AuditAction::TenantAccessGranted => "diberi akses ke tenant",
                AuditAction::TenantAccessRevoked => "mengakhiri akses operator",
                AuditAction::PlanCreated => "membuat paket",
                AuditAction::PlanUpdated => "mengubah paket",
                AuditAction::PlanDeleted => "menghapus paket",
                AuditAction::PlatformSettingsUpdated => "mengubah pengaturan platform",
                AuditAction::AuditLogExported => "mengekspor log audit",
                AuditAction::OperatorCreated => "membuat operator",
                AuditAction::EncryptionKeyRotated => "mengganti kunci enkripsi",
                AuditAction::SigningKeyRotated => "mengganti kunci tanda tangan",
                AuditAction::Other => "melakukan sesuatu",
            },
        }
    }

    /// Who did it, where no name is known.
    pub fn audit_actor(self, kind: AuditActorKind) -> &'static str {
        match (self.0, kind) {
            (Language::En, AuditActorKind::User) => "A member",
            (Language::Id, AuditActorKind::User) => "Seorang anggota",
            (Language::En, AuditActorKind::ApiToken) => "An API token",
            (Language::Id, AuditActorKind::ApiToken) => "Sebuah token API",
            (_, AuditActorKind::Operator) => "Operator",
            (Language::En, AuditActorKind::Stranger) => "Somebody unknown",
            (Language::Id, AuditActorKind::Stranger) => "Orang tak dikenal",
            (Language::En, AuditActorKind::System) => "The server",
            (Language::Id, AuditActorKind::System) => "Server",
            (_, AuditActorKind::Other) => "?",
        }
    }
}
