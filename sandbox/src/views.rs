//! What callers see of the network: plain values, copied out of its state at the moment of asking.
//!
//! They serialise in camelCase, because the same values are the bodies of the control API
//! that tests written in other languages use.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

/// Where the network listens and whether it survives a restart.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// A loopback address; port 0 lets the operating system choose. Anything else is refused,
    /// because whoever reaches the network may link devices to any of its accounts.
    pub listen: SocketAddr,
    /// Directory that keeps phones, keys, sessions, groups and waiting stanzas. `None`: in memory only.
    pub data_dir: Option<PathBuf>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: None,
        }
    }
}

/// A simulated phone: the primary device (device 0) of one WhatsApp account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phone {
    /// `+` and the E.164 digits.
    pub number: String,
    /// The push name that others see.
    pub name: String,
    /// Whether the phone takes part; an offline phone lets its messages wait at the server.
    pub online: bool,
    /// The account's hidden identity, `…@lid`.
    pub lid: String,
    pub behavior: Behavior,
    pub linked_devices: Vec<LinkedDevice>,
    /// Rows in the ledger: distinct messages that reached the phone.
    pub received_count: usize,
    pub created_at: DateTime<Utc>,
}

/// Which rows of a ledger are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerPart {
    /// Only rows with a higher sequence number.
    pub after: Option<u64>,
    /// Only rows with a lower one.
    pub before: Option<u64>,
    /// From the end of the part, newest row first, rather than from its beginning.
    pub newest_first: bool,
    /// How many rows, at most.
    pub limit: usize,
}

/// A companion device linked to a phone's account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedDevice {
    /// The device number in the jid, from 1.
    pub id: u16,
    /// What the client said it is, for example `Chrome`.
    pub platform: String,
    pub online: bool,
    pub linked_at: DateTime<Utc>,
}

/// How a phone (and, for messages to it, the server) acts.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a script, each of them a checkbox in the console"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Behavior {
    /// Off: messages wait at the server, as for a phone without network.
    pub online: bool,
    /// Send delivered receipts.
    pub delivers: bool,
    /// Send read receipts after the delivered ones.
    pub reads: bool,
    /// Answer every direct text.
    pub replies: Option<Reply>,
    /// Wait this long before each receipt and reply.
    pub latency_ms: u64,
    /// Numbers whose messages the server acknowledges and drops, as for blocked contacts.
    pub blocks: Vec<String>,
    /// The server refuses every message to this phone with this code (463 for example).
    pub nack_code: Option<u16>,
    /// Off: the number looks as if it were not on WhatsApp.
    pub on_whatsapp: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            online: true,
            delivers: true,
            reads: false,
            replies: None,
            latency_ms: 0,
            blocks: Vec::new(),
            nack_code: None,
            on_whatsapp: true,
        }
    }
}

/// What a phone answers to a direct text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// The same text.
    Echo,
    /// Always this text.
    Text(String),
}

/// A change of behaviour: only the given fields change. In JSON a `null` clears `replies` and `nackCode`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BehaviorPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivers: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub replies: Option<Option<Reply>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub nack_code: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_whatsapp: Option<bool>,
}

/// Tells a field that is `null` (`Some(None)`) from one that is absent (`None`, by `default`).
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Whom a phone writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A number of this network.
    Phone(String),
    /// A group's jid, `…@g.us`.
    Group(String),
}

/// Something going wrong for the devices linked to a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Disruption {
    /// Cut the sockets of all linked devices now, without a closing handshake.
    DropSocket,
    /// Cut the socket of a linked device when it sends its n-th message from now: the message is
    /// delivered, its ack is not, so that the client has to send it again with the same id.
    DropSocketAfter { messages: u32 },
    /// Unlink one device, or all of them: the stream error that a removed device gets.
    LogOut { device: Option<u16> },
    /// The server refuses the next `count` messages *to* this phone with `code`.
    NackNext { count: u32, code: u16 },
    /// Refuse new connections of the linked devices (`true`) or take them again (`false`).
    Refuse { connections: bool },
    /// The stream error a client gets when the same device connects elsewhere.
    StreamReplaced,
    /// Swallow everything the linked devices send, and send nothing, while the socket stays open
    /// (`true`): a deaf connection. `false` lets new connections work again; frozen ones stay deaf.
    Freeze { frozen: bool },
    /// Forget the phone's Signal sessions, as after reinstalling: the next message to it cannot be
    /// decrypted and is asked for again with a retry receipt.
    LoseSessions,
}

/// One row of a phone's ledger: one WhatsApp message id that reached it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// Position in the phone's ledger, from 1, without gaps.
    pub sequence: u64,
    pub whatsapp_id: String,
    /// The sender's number, with `+`.
    pub from: String,
    /// The group's jid when it came through one.
    pub group: Option<String>,
    /// `text`, `image`, `video`, `audio`, `voice`, `document`, `sticker`, `location`, `contact`,
    /// `poll`, `reaction`, `edit`, `revoke`, …
    pub kind: String,
    /// The text or caption, when there is one.
    pub text: Option<String>,
    /// What is shown of the text's link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_preview: Option<LinkPreview>,
    /// The addresses of whom the text mentions, as they stand in the message: `…@lid` in groups that go by hidden
    /// identity, `…@s.whatsapp.net` elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// The text mentions everybody in the group.
    #[serde(default)]
    pub mentions_everyone: bool,
    /// How many times the message arrived. More than 1 means that it was sent again; the phone
    /// showed it once all the same.
    pub times_on_wire: u32,
    pub at: DateTime<Utc>,
}

/// What a text shows of the page behind its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkPreview {
    /// The link as it stands in the text.
    pub url: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// How large the picture is that came with it; 0 without one.
    pub thumbnail_bytes: usize,
}

/// A group conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// `…@g.us`.
    pub jid: String,
    pub subject: String,
    /// The creator's number, with `+`.
    pub owner: String,
    /// Numbers, with `+`; the owner is among them.
    pub participants: Vec<String>,
    pub created_at: DateTime<Utc>,
}

/// Something that happened, for whoever watches the network live.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NetworkEvent {
    /// A phone was created or its behaviour changed.
    PhoneChanged {
        number: String,
    },
    /// A row was added to a ledger, or its `times_on_wire` rose.
    Received {
        number: String,
        row: Received,
    },
    DeviceLinked {
        number: String,
        device: LinkedDevice,
    },
    DeviceUnlinked {
        number: String,
        device: u16,
    },
    DeviceOnline {
        number: String,
        device: u16,
    },
    DeviceOffline {
        number: String,
        device: u16,
    },
    /// A group was created or its members or subject changed.
    GroupChanged {
        group: Group,
    },
}

/// Counters since the network started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkStats {
    /// Open connections now.
    pub connections: usize,
    /// Stanzas read from clients.
    pub stanzas_in: u64,
    /// Stanzas written to clients.
    pub stanzas_out: u64,
    /// `<message>` stanzas accepted from clients and phones.
    pub messages: u64,
    /// Stanzas that linked devices have not acknowledged yet.
    pub waiting: usize,
    /// Bytes kept by the media host.
    pub media_bytes: u64,
}

impl BehaviorPatch {
    /// The behaviour with the given fields changed.
    pub fn applied_to(self, mut behavior: Behavior) -> Behavior {
        fn change<T>(field: &mut T, to: Option<T>) {
            if let Some(to) = to {
                *field = to;
            }
        }
        change(&mut behavior.online, self.online);
        change(&mut behavior.delivers, self.delivers);
        change(&mut behavior.reads, self.reads);
        change(&mut behavior.replies, self.replies);
        change(&mut behavior.latency_ms, self.latency_ms);
        change(&mut behavior.blocks, self.blocks);
        change(&mut behavior.nack_code, self.nack_code);
        change(&mut behavior.on_whatsapp, self.on_whatsapp);
        behavior
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_clears_and_an_absent_field_stays() {
        let patch: BehaviorPatch = serde_json::from_str(r#"{"replies": null, "reads": true}"#).unwrap();
        let before = Behavior {
            replies: Some(Reply::Echo),
            nack_code: Some(463),
            ..Behavior::default()
        };
        let after = patch.applied_to(before);
        assert_eq!((after.replies, after.nack_code, after.reads), (None, Some(463), true));
    }

    #[test]
    fn disruptions_and_targets_read_as_documented() {
        let text = r#"[{"dropSocketAfter": {"messages": 3}}, "dropSocket", {"logOut": {"device": null}}]"#;
        let disruptions: Vec<Disruption> = serde_json::from_str(text).unwrap();
        assert_eq!(disruptions[0], Disruption::DropSocketAfter { messages: 3 });
        assert_eq!(disruptions[1], Disruption::DropSocket);
        let target: Target = serde_json::from_str(r#"{"phone": "+628123"}"#).unwrap();
        assert_eq!(target, Target::Phone("+628123".to_owned()));
    }
}
