//! Why the network could not do what it was asked.

use std::net::SocketAddr;

/// Every way a call of [`crate::Network`] fails.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("{0} is not a loopback address; the sandbox serves this machine only")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot use the data directory: {0}")]
    Storage(String),
    #[error("{0:?} is not a phone number: 7 to 15 digits are expected, country code first")]
    InvalidNumber(String),
    #[error("there is no phone {0} on this network")]
    NoSuchPhone(String),
    #[error("the phone {0} exists already")]
    AlreadyExists(String),
    #[error("the text is not a pairing QR code")]
    InvalidQr,
    #[error("the QR code is no longer shown by a connected client")]
    QrExpired,
    #[error("no client waits for a pairing code of this number")]
    NoPairingRequested,
    #[error("the pairing code is wrong")]
    WrongPairingCode,
    #[error("the client did not finish linking in time")]
    PairingTimedOut,
    #[error("the account has its maximum of linked devices")]
    TooManyDevices,
    #[error("there is no group {0}")]
    NoSuchGroup(String),
    #[error("{0} is not a member of the group")]
    NotAMember(String),
    #[error("no such device is linked to {0}")]
    NotLinked(String),
    #[error("the phone {0} is offline")]
    PhoneOffline(String),
    #[error("no message {0} in the ledger of this phone")]
    NoSuchMessage(String),
    #[error("the recipient's server refused the message with code {0}")]
    Refused(u16),
    #[error("cryptography failed: {0}")]
    Crypto(String),
    #[error("the network is shut down")]
    Closed,
}

impl SandboxError {
    /// A stable name for programs, used by the control API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback(_) => "NOT_LOOPBACK",
            Self::Listen { .. } => "LISTEN",
            Self::Storage(_) => "STORAGE",
            Self::InvalidNumber(_) => "INVALID_NUMBER",
            Self::NoSuchPhone(_) => "NO_SUCH_PHONE",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::InvalidQr => "INVALID_QR",
            Self::QrExpired => "QR_EXPIRED",
            Self::NoPairingRequested => "NO_PAIRING_REQUESTED",
            Self::WrongPairingCode => "WRONG_PAIRING_CODE",
            Self::PairingTimedOut => "PAIRING_TIMED_OUT",
            Self::TooManyDevices => "TOO_MANY_DEVICES",
            Self::NoSuchGroup(_) => "NO_SUCH_GROUP",
            Self::NotAMember(_) => "NOT_A_MEMBER",
            Self::NotLinked(_) => "NOT_LINKED",
            Self::PhoneOffline(_) => "PHONE_OFFLINE",
            Self::NoSuchMessage(_) => "NO_SUCH_MESSAGE",
            Self::Refused(_) => "REFUSED",
            Self::Crypto(_) => "CRYPTO",
            Self::Closed => "CLOSED",
        }
    }
}
