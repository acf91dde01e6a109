//! The sandbox.

use super::{count, phrases};
use crate::state::format;

phrases! {
    sandbox_text: "Simulated phones on a WhatsApp network of their own. Nothing here reaches real people.",
        "Ponsel tiruan di jaringan WhatsApp tersendiri. Tidak ada yang sampai ke orang sungguhan.";
    create_phone: "Create phone", "Buat ponsel";
    no_phones: "No phones yet", "Belum ada ponsel";
    no_phones_text: "Make a phone to link a device with, and another to write to.",
        "Buat ponsel untuk menautkan perangkat, dan satu lagi untuk dikirimi pesan.";
    no_such_phone: "There is no such phone", "Ponsel ini tidak ada";
    to_sandbox: "To the sandbox", "Ke sandbox";
    name_optional: "Name (optional)", "Nama (opsional)";
    phone: "Phone", "Ponsel";
    behavior: "Behavior", "Perilaku";
    linked_devices: "Linked devices", "Perangkat tertaut";
    no_linked_devices: "No device is linked to this phone.", "Tidak ada perangkat yang tertaut ke ponsel ini.";
    received_messages: "Received", "Diterima";
    online: "Online", "Daring";
    offline: "Offline", "Luring";
    online_hint: "Offline, messages wait for it on the network.", "Saat luring, pesan menunggunya di jaringan.";
    delivers: "Delivers", "Mengirim tanda sampai";
    delivers_hint: "Answers every message with a delivery receipt.", "Menjawab setiap pesan dengan tanda sampai.";
    reads: "Reads", "Membaca";
    reads_hint: "Answers with a read receipt too.", "Menjawab juga dengan tanda dibaca.";
    on_whatsapp: "On WhatsApp", "Memakai WhatsApp";
    on_whatsapp_hint: "Off, the number does not exist for senders.", "Bila mati, nomor ini tidak ada bagi pengirim.";
    not_on_whatsapp: "not on WhatsApp", "tidak memakai WhatsApp";
    delivers_not: "no receipts", "tanpa tanda terima";
    reads_not: "does not read", "tidak membaca";
    answers_error(code: i32): format!("answers error {code}"), format!("menjawab galat {code}");
    echoes: "echoes", "menggemakan";
    replies: "replies", "membalas";
    blocks_some(number: i32): count(number, "number blocked", "numbers blocked"), format!("{} nomor diblokir", format::number(number));
    behaves_well: "Delivers and reads", "Menerima dan membaca";
    auto_reply: "Automatic reply", "Balasan otomatis";
    reply_none: "None", "Tidak ada";
    reply_echo: "Echo the message", "Gemakan pesan";
    reply_text: "A fixed text", "Teks tetap";
    reply_words: "Reply with", "Balas dengan";
    set: "Set", "Terapkan";
    latency: "Latency (ms)", "Jeda (ms)";
    nack_code: "Refuse with code", "Tolak dengan kode";
    blocks: "Blocked numbers", "Nomor diblokir";
    disruptions: "Disruptions", "Gangguan";
    disruptions_text: "They happen to the devices linked to this phone.", "Terjadi pada perangkat yang tertaut ke ponsel ini.";
    disrupted: "Done.", "Selesai.";
    drop_socket: "Drop connection", "Putuskan sambungan";
    replace_stream: "Replace stream", "Ambil alih sambungan";
    refuse_connections: "Refuse connections", "Tolak sambungan";
    accept_connections: "Accept connections again", "Terima sambungan lagi";
    log_out_linked: "Log devices out", "Keluarkan perangkat";
    drop_after: "Drop after (messages)", "Putuskan setelah (pesan)";
    nack_next: "Refuse the next", "Tolak berikutnya";
    with_code: "with code", "dengan kode";
    groups: "Groups", "Grup";
    no_groups: "No groups yet: a group of phones is what its linked devices see, too.",
        "Belum ada grup: grup ponsel juga terlihat oleh perangkat yang tertaut.";
    create_group: "Create group", "Buat grup";
    group_name: "Group", "Grup";
    participants: "Participants", "Peserta";
    made_by: "Made by", "Dibuat oleh";
    made_by_hint: "The number of a phone here.", "Nomor salah satu ponsel di sini.";
    other_participants: "Other participants", "Peserta lain";
    other_participants_hint: "Numbers of phones here, with commas between them.", "Nomor ponsel di sini, dipisahkan koma.";
    write: "Write", "Tulis";
    write_in_group: "Write in the group", "Tulis di grup";
    write_from: "As", "Sebagai";
    written_in_group: "Written.", "Sudah ditulis.";
    phone_screen: "Screen of the phone", "Layar ponsel";
    chat_with: "Chat with", "Percakapan dengan";
    write_as(number: &str): format!("Write as {number}"), format!("Tulis sebagai {number}");
    nothing_written: "No messages yet. Write one, as this phone.", "Belum ada pesan. Tulis satu, sebagai ponsel ini.";
    no_account_to_write_to: "Link a device first; then this phone can write to it.",
        "Tautkan perangkat dulu; lalu ponsel ini dapat menulis kepadanya.";
    ledger(number: i32): count(number, "message reached this phone", "messages reached this phone"),
        format!("{} pesan sampai di ponsel ini", format::number(number));
    nothing_received: "Nothing has reached this phone yet.", "Belum ada yang sampai di ponsel ini.";
    from: "From", "Dari";
    times_on_wire: "Times on the wire", "Kali di jalur";
    at: "At", "Pukul";
}
