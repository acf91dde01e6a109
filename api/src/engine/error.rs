//! What can go wrong, in the words of the caller.

/// A command to a device did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine may not connect where it was told to.
    #[error("refused endpoint: {0}")]
    Endpoint(&'static str),
    /// The engine has shut down.
    #[error("the engine has stopped")]
    Stopped,
    /// No actor runs for the device: `connect` comes first.
    #[error("the device is not running")]
    NotRunning,
    /// The device has no usable connection now.
    #[error("the device is not connected")]
    NotConnected,
    /// The device is linked: it can't be paired again before it is logged out.
    #[error("the device is linked already")]
    AlreadyLinked,
    /// The device has more work than it takes.
    #[error("the device is busy")]
    Busy,
    /// WhatsApp did not answer in time.
    #[error("WhatsApp did not answer in time")]
    Timeout,
    /// The text is no phone number or address that WhatsApp knows a form for.
    #[error("not a WhatsApp address")]
    Address,
    /// WhatsApp refused.
    #[error("WhatsApp refused: {0}")]
    Refused(String),
    /// The device's records could not be read or written.
    #[error("the device's records could not be read or written")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A message was not handed to WhatsApp, or it is not known whether it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No attempt was made. The message waits.
    #[error("the device is not connected")]
    NotConnected,
    /// The recipient has no WhatsApp account. Nothing was sent.
    #[error("the recipient is not on WhatsApp")]
    NotOnWhatsApp,
    /// The text is no address. Nothing was sent.
    #[error("not a WhatsApp address")]
    Address,
    /// The message can't be sent as it is. Nothing was sent, and trying again won't help.
    #[error("WhatsApp refused: {0}")]
    Rejected(String),
    /// Something else failed before the message left. Nothing was sent; trying again may help.
    #[error("the message could not be prepared: {0}")]
    Failed(String),
    /// The message may or may not have left. It is sent again with the same id and `recovery`.
    #[error("the attempt took too long")]
    Timeout,
    /// The connection failed during the attempt: as with `Timeout`, the outcome is unknown.
    #[error("the connection failed during the attempt")]
    Transport,
}

impl SendError {
    /// Whether the recipient may have got the message.
    pub const fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Timeout | Self::Transport)
    }

    /// Which of them it is, without what WhatsApp said.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotConnected => "NOT_CONNECTED",
            Self::NotOnWhatsApp => "NOT_ON_WHATSAPP",
            Self::Address => "INVALID_ADDRESS",
            Self::Rejected(_) => "REJECTED",
            Self::Failed(_) => "SEND_FAILED",
            Self::Timeout => "TIMEOUT",
            Self::Transport => "TRANSPORT",
        }
    }
}
