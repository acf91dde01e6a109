//! Members, invitations and roles.

use super::{Language, Words, phrases};
use crate::api::{
    account::{Permission, Role},
    members::PermissionRule,
};

phrases! {
    members: "Members", "Anggota";
    members_text: "Who works in this tenant. An invitation is a link that you pass on yourself.",
        "Siapa yang bekerja di tenant ini. Undangan berupa tautan yang Anda teruskan sendiri.";
    person: "Person", "Orang";
    role: "Role", "Peran";
    joined: "Joined", "Bergabung";
    you: "You", "Anda";
    role_of(name: &str): format!("Role of {name}"), format!("Peran {name}");
    role_changed(name: &str, role: Role): format!("{name} is {} now.", Words(Language::En).role_name(role)),
        format!("{name} sekarang {}.", Words(Language::Id).role_name(role));
    invite_member: "Invite member", "Undang anggota";
    invite: "Invite", "Undang";
    invitation_link: "Invitation link", "Tautan undangan";
    invitation_link_text: "Send this link to the person. It works once, for seven days, and is not shown again.",
        "Kirim tautan ini kepada orangnya. Berlaku sekali, selama tujuh hari, dan tidak ditampilkan lagi.";
    open_invitations: "Open invitations", "Undangan terbuka";
    new_link: "New link", "Tautan baru";
    take_back: "Take back", "Tarik kembali";
    taken_back(email: &str): format!("The invitation of {email} is taken back."), format!("Undangan untuk {email} ditarik kembali.");
    valid_until: "Valid until", "Berlaku sampai";
    remove_member: "Remove from tenant", "Keluarkan dari tenant";
    leave_tenant: "Leave tenant", "Keluar dari tenant";
    remove_member_title(name: &str): format!("Remove {name}?"), format!("Keluarkan {name}?");
    remove_member_text(email: &str): format!("{email} is out at once, and can be invited again."),
        format!("{email} langsung keluar, dan dapat diundang lagi.");
    leave_tenant_title: "Leave this tenant?", "Keluar dari tenant ini?";
    leave_tenant_text: "You are out at once. To come back, somebody has to invite you.",
        "Anda langsung keluar. Untuk kembali, seseorang harus mengundang Anda.";
    what_roles_may: "What each role may do", "Yang boleh dilakukan setiap peran";
    may: "Yes", "Ya";
    may_not: "No", "Tidak";
    done: "Done", "Selesai";
    actions_of(name: &str): format!("Actions for {name}"), format!("Tindakan untuk {name}");
    invitation_over: "This invitation is over", "Undangan ini sudah tidak berlaku";
    invitation_over_text: "It was used, taken back or is too old. Ask for a new one.",
        "Sudah dipakai, ditarik kembali, atau terlalu lama. Mintalah yang baru.";
    invited_to(tenant: &str): format!("Join {tenant}"), format!("Bergabung dengan {tenant}");
    invited_as(email: &str, role: Role): format!("{email} is invited as {}.", Words(Language::En).role_name(role)),
        format!("{email} diundang sebagai {}.", Words(Language::Id).role_name(role));
    your_name: "Your name", "Nama Anda";
    choose_password: "Choose a password", "Pilih kata sandi";
    password_hint: "Long is better than strange: four unusual words do well.",
        "Panjang lebih baik daripada rumit: empat kata yang tidak umum sudah bagus.";
    password_strength(score: i32, accepted: bool): match (accepted, score) {
        (false, ..=0) => "Guessed at once",
        (false, 1) => "Very easy to guess",
        (false, _) => "Still too easy to guess",
        (true, 4..) => "Hard to guess",
        (true, _) => "Good enough",
    }.to_owned(), match (accepted, score) {
        (false, ..=0) => "Langsung tertebak",
        (false, 1) => "Sangat mudah ditebak",
        (false, _) => "Masih terlalu mudah ditebak",
        (true, 4..) => "Sulit ditebak",
        (true, _) => "Cukup baik",
    }.to_owned();
    come_in: "Join", "Bergabung";
    sign_in_to_join: "You have an account already. Sign in to join.", "Anda sudah punya akun. Masuk untuk bergabung.";
    signed_in_as_other(email: &str): format!("You are signed in as {email}. Sign out first to join as the invited person."),
        format!("Anda masuk sebagai {email}. Keluar dahulu untuk bergabung sebagai orang yang diundang.");
    permission_rule(rule: &PermissionRule): rule.description.clone(), permission_in_indonesian(rule).to_owned();
}

impl Words {
    pub fn role_name(self, role: Role) -> &'static str {
        match (self.0, role) {
            (Language::En, Role::Owner) => "Owner",
            (Language::Id, Role::Owner) => "Pemilik",
            (_, Role::Admin) => "Admin",
            (Language::En, Role::Agent) => "Agent",
            (Language::Id, Role::Agent) => "Agen",
            (Language::En, Role::Analyst) => "Analyst",
            (Language::Id, Role::Analyst) => "Analis",
            (_, Role::Other) => "?",
        }
    }
}

/// The server speaks English; what this console does not know yet stays so.
fn permission_in_indonesian(rule: &PermissionRule) -> &str {
    match rule.permission {
        Permission::Read => "Melihat perangkat, percakapan, pesan, dan peristiwa",
        Permission::Send => "Mengirim pesan, menandai percakapan dibaca",
        Permission::ManageDevices => "Membuat, menautkan, mengubah, dan menghapus perangkat",
        Permission::ManageCampaigns => "Membuat, memulai, dan menghentikan kampanye, daftar, dan templatnya",
        Permission::SendOtp => "Mengirim dan memeriksa kata sandi sekali pakai",
        Permission::ManageMedia => "Mengunggah dan menghapus media",
        Permission::ManageWebhooks => "Mengelola webhook, balasan otomatis, dan chatbot",
        Permission::ReadAnalytics => "Membaca statistik dan pemakaian",
        Permission::SendRaw => "Mengirim pesan sebagai protobuf WhatsApp mentah",
        Permission::ReadMembers => "Melihat siapa saja anggota tenant",
        Permission::ManageMembers => "Mengundang dan mengeluarkan anggota, mengubah perannya; kecuali pemilik",
        Permission::ManageOwners => "Mengangkat dan menurunkan pemilik",
        Permission::ManageApiTokens => "Membuat, mengubah, dan mencabut token API",
        Permission::ManageTenant => "Mengubah nama, negara, bahasa, dan zona waktu tenant",
        Permission::ReadAuditLog => "Melihat siapa melakukan apa di tenant",
        Permission::ExportTenant => "Mengekspor semua milik tenant",
        Permission::Other => &rule.description,
    }
}
