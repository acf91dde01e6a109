//! A device as the API shows it.

use async_graphql::{Enum, ID, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{DeviceId, device};

use super::pairing;
use crate::{
    graphql::scalars::{Jid, PhoneNumber},
    pictures,
};

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "device::Status")]
pub enum DeviceStatus {
    /// Made, never connected.
    Created,
    /// A connection attempt is under way.
    Connecting,
    /// A code waits to be scanned or typed.
    QrReady,
    /// The phone accepted; the device logs in for the first time.
    Pairing,
    /// WhatsApp wants a passkey on the phone before it links.
    PasskeyRequired,
    /// Messages flow.
    Connected,
    /// The socket is up but nothing flows; it is being healed.
    Degraded,
    /// Not connected; the link is kept.
    Disconnected,
    /// The link was removed, here or on the phone: link it again.
    LoggedOut,
    /// WhatsApp has banned the account.
    Banned,
    /// It cannot go on without somebody's help; `statusReason` says why.
    Failed,
}

/// A WhatsApp account linked as a companion.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Device {
    /// Opaque id, `dev_…`.
    pub id: ID,
    /// Your own key for it, unique in the tenant: 3–50 of `A-Za-z0-9_-`.
    pub key: Option<String>,
    /// What people call it: 1–120 characters.
    pub name: String,
    /// Free text, at most 1,000 characters.
    pub remark: Option<String>,
    /// At most 20 tags of 1–40 characters.
    pub tags: Vec<String>,
    /// Where it stands.
    pub status: DeviceStatus,
    /// Why it stands there, when there is something to say.
    pub status_reason: Option<String>,
    /// Since when.
    pub status_since: DateTime<Utc>,
    /// The linked account's number.
    pub phone_number: Option<PhoneNumber>,
    /// The account's own name on WhatsApp.
    pub push_name: Option<String>,
    /// The account's address by phone number, with the number of this companion.
    pub jid: Option<Jid>,
    /// The account's address that does not tell the phone number.
    pub lid: Option<Jid>,
    /// What the account's phone runs on.
    pub platform: Option<String>,
    /// Attempts since the last successful connection.
    pub connection_attempts: i32,
    /// When it last logged in.
    pub last_connected_at: Option<DateTime<Utc>>,
    /// When something last flowed.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its name, key, remark or tags last changed.
    pub updated_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row_id: DeviceId,
}

impl From<device::Model> for Device {
    fn from(row: device::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key,
            name: row.name,
            remark: row.remark,
            tags: serde_json::from_value(row.tags).unwrap_or_default(),
            status: row.status.into(),
            status_reason: row.status_reason,
            status_since: row.status_since,
            phone_number: row.phone_number.map(PhoneNumber),
            push_name: row.push_name,
            jid: row.jid.map(Jid),
            lid: row.lid.map(Jid),
            platform: row.platform,
            connection_attempts: row.connection_attempts,
            last_connected_at: row.last_connected_at,
            last_activity_at: row.last_activity_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            row_id: row.id,
        }
    }
}

/// A code to scan with WhatsApp → Linked devices → Link a device.
#[derive(SimpleObject)]
pub struct QrCode {
    /// What the picture says.
    pub text: String,
    /// The picture as a `data:image/png;base64,…` URL.
    pub png: String,
    /// The picture as an SVG document.
    pub svg: String,
    /// When WhatsApp stops accepting it. A fresh one comes before; subscribe to `deviceUpdated`.
    pub expires_at: DateTime<Utc>,
}

impl QrCode {
    /// Draws a code.
    pub fn draw(qr: pairing::Qr) -> Option<Self> {
        Some(Self {
            png: pictures::png_url(&qr.text)?,
            svg: pictures::svg(&qr.text)?,
            text: qr.text,
            expires_at: qr.expires_at,
        })
    }
}

/// A code to type on the phone: WhatsApp → Linked devices → Link with phone number.
#[derive(SimpleObject)]
pub struct PairingCode {
    /// Eight letters and digits; people see them as two groups of four.
    pub code: String,
    /// When WhatsApp stops accepting it.
    pub expires_at: DateTime<Utc>,
}
