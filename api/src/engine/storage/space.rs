//! The stores within `engine_record`, by number.

/// Which store a record belongs to.
///
/// **Invariant:** a number is never given to another store: rows of older versions carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub(super) enum Space {
    /// The device's own credentials: one record.
    Credentials = 1,
    /// Public keys of others, by Signal address.
    Identity = 2,
    /// Signal sessions, by Signal address.
    Session = 3,
    /// One-time keys, in blocks; the number is the highest id in one.
    PreKey = 4,
    /// Signed keys; the number is their id.
    SignedPreKey = 5,
    /// Group keys, by group and sender.
    SenderKey = 6,
    /// App-state keys; the number says when each came.
    SyncKey = 7,
    /// App-state versions, by collection.
    SyncVersion = 8,
    /// App-state mutation checksums, by collection and index.
    MutationMac = 9,
    /// Which devices have our group key, by group and device.
    SenderKeyDevice = 10,
    /// LID to phone number.
    LidMapping = 11,
    /// Phone number to LID.
    PhoneMapping = 12,
    /// Base keys of sessions, by address and message.
    BaseKey = 13,
    /// Devices of others, by user.
    DeviceList = 14,
    /// What is known of groups, by group.
    GroupMetadata = 15,
    /// Privacy tokens, by contact.
    Token = 16,
    /// Messages sent, for recipients that ask again; the number is when.
    SentMessage = 17,
    /// Messages received that the inbox has not committed; the number is when.
    PendingInbound = 18,
    /// Secrets of messages, for edits, votes and reactions that come later; the number is when they expire.
    MessageSecret = 19,
}

impl Space {
    pub(super) const fn number(self) -> i16 {
        self as i16
    }

    /// Whether a key is written once and never again: a record that is deleted before it was committed needs no statement.
    /// Should WhatsApp deliver a message a second time, the copy that stays is of one that the inbox knows, and expires.
    pub(super) const fn is_written_once(self) -> bool {
        matches!(self, Self::PendingInbound)
    }
}
