//! What is asked of the sandbox network.

use async_graphql::{ID, InputObject, OneofObject};
use sandbox::{BehaviorPatch, Disruption, Reply};

use crate::graphql::scalars::Jid;

/// A new phone.
#[derive(InputObject)]
pub struct SandboxCreatePhoneInput {
    /// 7–15 digits with the country code; `+`, spaces and hyphens are allowed.
    pub number: String,
    /// The push name that others see.
    pub name: Option<String>,
    /// How it acts; by default it is online, delivers, does not read and does not answer.
    pub behavior: Option<SandboxBehaviorInput>,
}

/// A phone scans a code.
#[derive(InputObject)]
pub struct SandboxScanQrInput {
    /// The device whose current code is scanned.
    pub device_id: Option<ID>,
    /// Or the text of a code that another client shows.
    pub qr: Option<String>,
    /// The number of the phone that scans. It is created when it does not exist.
    pub phone: String,
}

/// A phone's owner types a code.
#[derive(InputObject)]
pub struct SandboxEnterPairingCodeInput {
    /// The number that the code was requested for.
    pub phone: String,
    /// The eight letters and digits.
    pub code: String,
}

/// A phone writes.
#[derive(InputObject)]
pub struct SandboxSendInput {
    /// The number of the phone that writes.
    pub from: String,
    /// Whom it writes to.
    pub to: SandboxTargetInput,
    /// What it writes. Where `@` and the digits of a mentioned number stand, such as `@6281234567890`, others see the
    /// mention.
    pub text: String,
    /// Numbers on the network that it mentions.
    pub mentions: Option<Vec<String>>,
    /// It mentions everybody in the group; its text says so with `@all`, when it shall be seen. False by default.
    pub mention_everyone: Option<bool>,
}

/// Whom a phone writes to.
#[derive(OneofObject)]
pub enum SandboxTargetInput {
    /// A number on the network.
    Phone(String),
    /// A group that the phone is in.
    Group(Jid),
}

/// How a phone acts; what is left out stays as it is.
#[derive(Default, InputObject)]
pub struct SandboxBehaviorInput {
    /// It takes part.
    pub online: Option<bool>,
    /// It sends delivered receipts.
    pub delivers: Option<bool>,
    /// It sends read receipts.
    pub reads: Option<bool>,
    /// What it answers to every text.
    pub replies: Option<SandboxReplyInput>,
    /// How long it waits before each receipt and answer, in milliseconds: at most 600,000.
    #[graphql(validator(maximum = 600_000))]
    pub latency_ms: Option<u64>,
    /// Numbers that it blocks; they replace the old ones.
    pub blocks: Option<Vec<String>>,
    /// The server refuses every message to it with this code, such as 463; 0 stops that.
    pub nack_code: Option<u16>,
    /// The number has a WhatsApp account.
    pub on_whats_app: Option<bool>,
}

/// What a phone answers.
#[derive(OneofObject)]
pub enum SandboxReplyInput {
    /// The same text.
    Echo(bool),
    /// Always this text.
    Text(String),
    /// Nothing.
    None(bool),
}

impl From<SandboxBehaviorInput> for BehaviorPatch {
    fn from(input: SandboxBehaviorInput) -> Self {
        Self {
            online: input.online,
            delivers: input.delivers,
            reads: input.reads,
            replies: input.replies.map(|reply| match reply {
                SandboxReplyInput::Echo(echo) => echo.then_some(Reply::Echo),
                SandboxReplyInput::Text(text) => Some(Reply::Text(text)),
                SandboxReplyInput::None(_) => None,
            }),
            latency_ms: input.latency_ms,
            blocks: input.blocks,
            nack_code: input.nack_code.map(|code| (code != 0).then_some(code)),
            on_whatsapp: input.on_whats_app,
        }
    }
}

/// Changes how a phone acts.
#[derive(InputObject)]
pub struct SandboxSetBehaviorInput {
    /// The phone's number.
    pub phone: String,
    /// What changes.
    pub behavior: SandboxBehaviorInput,
}

/// Makes something go wrong.
#[derive(InputObject)]
pub struct SandboxDisruptInput {
    /// The number whose linked devices, or whose messages, are disturbed.
    pub phone: String,
    /// What goes wrong.
    pub disruption: SandboxDisruptionInput,
}

/// What goes wrong.
#[derive(OneofObject)]
pub enum SandboxDisruptionInput {
    /// Cuts the sockets of the linked devices now.
    DropSocket(bool),
    /// Cuts a linked device's socket when it sends its n-th message from now: it is delivered, its ack is lost.
    DropSocketAfterMessages(u32),
    /// Unlinks every linked device.
    LogOut(bool),
    /// The server refuses the next messages to this phone.
    NackNext(SandboxNackInput),
    /// Refuses new connections of the linked devices, or takes them again.
    RefuseConnections(bool),
    /// Tells the linked devices that they connected elsewhere.
    StreamReplaced(bool),
}

/// Which messages are refused.
#[derive(InputObject)]
pub struct SandboxNackInput {
    /// How many.
    pub count: u32,
    /// With which code, such as 463.
    pub code: u16,
}

impl From<SandboxDisruptionInput> for Disruption {
    fn from(input: SandboxDisruptionInput) -> Self {
        match input {
            SandboxDisruptionInput::DropSocket(_) => Self::DropSocket,
            SandboxDisruptionInput::DropSocketAfterMessages(messages) => Self::DropSocketAfter { messages },
            SandboxDisruptionInput::LogOut(_) => Self::LogOut { device: None },
            SandboxDisruptionInput::NackNext(SandboxNackInput { count, code }) => Self::NackNext { count, code },
            SandboxDisruptionInput::RefuseConnections(connections) => Self::Refuse { connections },
            SandboxDisruptionInput::StreamReplaced(_) => Self::StreamReplaced,
        }
    }
}

/// A new group.
#[derive(InputObject)]
pub struct SandboxCreateGroupInput {
    /// The number that creates it.
    pub owner: String,
    /// Its name.
    pub subject: String,
    /// Who else is in it.
    pub participants: Vec<String>,
}
