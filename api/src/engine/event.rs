//! What devices tell: one ordered stream for the dispatcher.
//!
//! **Invariant:** events of one device keep their order. A message that came in is acknowledged to WhatsApp only after
//! [`EngineEvent::commit`]; an event that is dropped instead makes WhatsApp deliver the message again.

use chrono::{DateTime, Utc};
use entity::DeviceId;
use tokio::sync::oneshot;

use super::types::{IncomingMessage, ReceiptKind};

/// Something happened to a device.
#[derive(Debug)]
pub struct EngineEvent {
    pub device: DeviceId,
    /// Of the lease under which the device was connected: a write with an older number is refused.
    pub fence: i64,
    pub at: DateTime<Utc>,
    pub kind: EventKind,
    pub(super) committed: Option<oneshot::Sender<()>>,
}

impl EngineEvent {
    /// The effect of the event is durable. Call it after the transaction has been committed.
    pub fn commit(self) {
        if let Some(committed) = self.committed {
            // The device may have stopped meanwhile; then WhatsApp delivers again and the domain sees a double.
            let _ = committed.send(());
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A connection attempt begins. Says nothing about the link.
    Connecting {
        attempt: u32,
    },
    /// A code to scan. The next one replaces it.
    Qr {
        text: String,
        expires_at: DateTime<Utc>,
    },
    /// All codes of this connection ran out unscanned; the device has stopped.
    QrExhausted,
    /// A code to type on the phone.
    PairingCode {
        code: String,
        expires_at: DateTime<Utc>,
    },
    /// The phone accepted the device. It logs in next.
    Paired {
        jid: String,
        lid: Option<String>,
        /// Digits.
        phone_number: String,
        platform: Option<String>,
        push_name: Option<String>,
    },
    PairFailed {
        reason: String,
    },
    /// Logged in: messages can be sent.
    Connected {
        jid: String,
        lid: Option<String>,
        push_name: Option<String>,
    },
    /// The connection is gone, the link stays. Without `retry_at` nothing is tried until `connect`.
    Disconnected {
        reason: String,
        retry_at: Option<DateTime<Utc>>,
    },
    /// The connection is up but does not answer.
    Degraded {
        reason: String,
    },
    /// A degraded connection answered again.
    Recovered,
    /// The phone or WhatsApp removed the link. Only this ends it: the records have been wiped.
    LoggedOut {
        reason: String,
    },
    Banned {
        reason: String,
        until: Option<DateTime<Utc>>,
    },
    /// The device can't go on without somebody's help. The link may still be good.
    Failed {
        reason: String,
    },
    /// The device is alive: at most once a minute.
    Activity,
    /// WhatsApp's server took the message.
    Acked {
        whatsapp_id: String,
    },
    /// WhatsApp's server refused the message.
    Nacked {
        whatsapp_id: String,
        code: i32,
        reason: String,
    },
    /// These were written to a connection that ended, or went deaf, before the server took them. They may have
    /// arrived: they are sent again with the same ids and `recovery`.
    Unconfirmed {
        whatsapp_ids: Vec<String>,
    },
    Receipt {
        /// As in [`IncomingMessage::chat`].
        chat: String,
        /// In a group: who.
        participant: Option<String>,
        whatsapp_ids: Vec<String>,
        kind: ReceiptKind,
        at: DateTime<Utc>,
    },
    Incoming(Box<IncomingMessage>),
    /// WhatsApp told that these two are the same person.
    Addresses {
        /// `…@lid`
        lid: String,
        /// `…@s.whatsapp.net`
        phone: String,
    },
    /// What a group is called now.
    GroupSubject {
        /// `…@g.us`
        group: String,
        subject: String,
    },
    /// A person's own name for themselves.
    PushName {
        jid: String,
        name: String,
    },
}
