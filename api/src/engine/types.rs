//! Messages and answers in the engine's own words: no type of whatsapp-rust leaves this folder.

use chrono::{DateTime, Utc};
use rand::RngExt;

/// A message to write to WhatsApp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// From [`new_message_id`], stored before the first attempt and the same in every attempt.
    pub whatsapp_id: String,
    /// The chat: `…@s.whatsapp.net`, `…@lid` or `…@g.us`.
    pub to: String,
    pub content: OutgoingContent,
    /// An earlier attempt may have reached WhatsApp.
    pub recovery: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingContent {
    Text(Text),
}

/// A text with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What came in is as it came; of what goes out see [`Mention::written`].
    pub body: String,
    pub link_preview: Option<LinkPreview>,
    /// Each person once.
    pub mentions: Vec<Mention>,
    /// Everybody in the group.
    pub mentions_everyone: bool,
}

/// Somebody whom a text mentions. Where `@` and the user part of the address stand in the text, apps show a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The phone-number address whenever it is known.
    pub jid: String,
    /// The address on the wire. A group goes by numbers or by hidden addresses (LID), and people are called in a message
    /// as the group calls them. `None` while nobody asked: then it is `jid`.
    pub written: Option<String>,
}

/// What the page behind a link says of itself, shown beside a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPreview {
    /// The link as it stands in the text.
    pub url: String,
    pub title: String,
    pub description: Option<String>,
    /// A small JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

/// An id as WhatsApp's own clients make them, for a message that is about to be stored.
pub fn new_message_id() -> String {
    let random: [u8; 9] = rand::rng().random();
    let mut id = String::with_capacity(22);
    id.push_str("3EB0");
    for byte in random {
        for digit in [byte >> 4, byte & 15] {
            id.push(
                char::from_digit(u32::from(digit), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase(),
            );
        }
    }
    id
}

/// What a user types on the phone to link a device without a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCode {
    /// Eight letters and digits, without the dash that people see.
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

/// Where a phone number is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// `…@s.whatsapp.net`
    pub jid: String,
    /// `…@lid`, when WhatsApp said it.
    pub lid: Option<String>,
}

/// A message that reached the device, written by somebody else or by the account's own phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingMessage {
    /// Unique only together with chat and sender.
    pub whatsapp_id: String,
    /// The group, or the contact's phone-number address whenever it is known.
    pub chat: String,
    /// Who wrote it, as a phone-number address whenever it is known.
    pub sender: String,
    /// Digits of the sender's phone number, when it is known.
    pub sender_phone: Option<String>,
    /// Digits of the contact's phone number in a direct chat, when it is known.
    pub chat_phone: Option<String>,
    /// Written on the account's phone or another of its linked devices.
    pub from_me: bool,
    pub push_name: Option<String>,
    pub is_group: bool,
    pub at: DateTime<Utc>,
    pub content: IncomingContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncomingContent {
    Text(Text),
    /// Something this version does not take apart.
    Other {
        /// One word: `image`, `poll`…
        kind: String,
        /// What can be shown in its place: a caption, a title, a name.
        description: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiptKind {
    Delivered,
    Read,
    Played,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_look_like_whatsapps() {
        let id = new_message_id();
        assert_eq!(id.len(), 22);
        assert!(id.starts_with("3EB0"));
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        );
        assert_ne!(id, new_message_id());
    }
}
