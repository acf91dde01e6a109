//! The door to the engine: a cloneable handle over one bounded channel.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use entity::DeviceId;
use tokio::sync::{mpsc, oneshot};

use super::{EngineError, Outgoing, PairingCode, Resolved, SendError};
use crate::store::DeviceScope;

/// How many commands may wait. Senders wait in turn when it is full.
const COMMAND_BUFFER: usize = 1024;

/// Where an answer goes.
pub type Reply<T, E = EngineError> = oneshot::Sender<Result<T, E>>;

/// What a [`Handle`] asks for. Public for tests that play the engine; see [`Handle::scripted`].
pub enum Command {
    Connect {
        device: DeviceScope,
        reply: Reply<()>,
    },
    RequestPairingCode {
        device: DeviceScope,
        phone_digits: String,
        reply: Reply<PairingCode>,
    },
    Disconnect {
        id: DeviceId,
        reply: Reply<()>,
    },
    Logout {
        id: DeviceId,
        reply: Reply<()>,
    },
    Wipe {
        device: DeviceScope,
        reply: Reply<()>,
    },
    Send {
        id: DeviceId,
        outgoing: Outgoing,
        reply: Reply<(), SendError>,
    },
    Resolve {
        id: DeviceId,
        phone_digits: String,
        reply: Reply<Option<Resolved>>,
    },
    AddressesIn {
        id: DeviceId,
        group: String,
        people: Vec<String>,
        reply: Reply<Vec<String>>,
    },
    MarkRead {
        id: DeviceId,
        chat: String,
        sender: Option<String>,
        whatsapp_ids: Vec<String>,
        reply: Reply<()>,
    },
    Shutdown {
        reply: Reply<()>,
    },
}

/// Commands the engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// A handle whose other end is the test's: nothing happens but what the test answers.
    pub fn scripted() -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(COMMAND_BUFFER);
        (Self { commands }, receiver)
    }

    /// Starts the device or wakes it from its wait: it logs in with its stored link or, without one, makes QR codes.
    pub async fn connect(&self, device: DeviceScope) -> Result<(), EngineError> {
        self.ask(|reply| Command::Connect { device, reply }).await
    }

    /// Starts the device if needed and asks WhatsApp for a code to type on the phone with this number.
    pub async fn request_pairing_code(
        &self,
        device: DeviceScope,
        phone_digits: &str,
    ) -> Result<PairingCode, EngineError> {
        let phone_digits = phone_digits.to_owned();
        self.ask(|reply| Command::RequestPairingCode {
            device,
            phone_digits,
            reply,
        })
        .await
    }

    /// Closes the connection and keeps the link.
    pub async fn disconnect(&self, id: DeviceId) -> Result<(), EngineError> {
        self.ask(|reply| Command::Disconnect { id, reply }).await
    }

    /// Removes the link at WhatsApp and the device's records.
    pub async fn logout(&self, id: DeviceId) -> Result<(), EngineError> {
        self.ask(|reply| Command::Logout { id, reply }).await
    }

    /// Stops whatever runs for the device and deletes every record of it, without a word to WhatsApp.
    pub async fn wipe(&self, device: DeviceScope) -> Result<(), EngineError> {
        self.ask(|reply| Command::Wipe { device, reply }).await
    }

    /// Returns when the message has been written to the connection; `Acked`, `Nacked` or `Unconfirmed` follows.
    pub async fn send(&self, id: DeviceId, outgoing: Outgoing) -> Result<(), SendError> {
        self.begin_send(id, outgoing).await?.await
    }

    /// Queues the message; the [`Sending`] resolves as [`Handle::send`] does. Messages to one chat are written in the
    /// order in which these calls returned, so whoever sends many awaits this in a loop and collects the results.
    pub async fn begin_send(&self, id: DeviceId, outgoing: Outgoing) -> Result<Sending, SendError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Send { id, outgoing, reply };
        self.commands.send(command).await.map_err(|_| SendError::NotConnected)?;
        Ok(Sending { answer })
    }

    /// Whether the number is on WhatsApp. Answers are kept for a while.
    pub async fn resolve(&self, id: DeviceId, phone_digits: &str) -> Result<Option<Resolved>, EngineError> {
        let phone_digits = phone_digits.to_owned();
        self.ask(|reply| Command::Resolve {
            id,
            phone_digits,
            reply,
        })
        .await
    }

    /// How a group calls these people: by number or by hidden address (LID), one answer for each, in their order. Whoever
    /// is not known by the other kind of address keeps the one they have.
    pub async fn addresses_in(
        &self,
        id: DeviceId,
        group: &str,
        people: Vec<String>,
    ) -> Result<Vec<String>, EngineError> {
        let group = group.to_owned();
        self.ask(|reply| Command::AddressesIn {
            id,
            group,
            people,
            reply,
        })
        .await
    }

    /// Tells the senders of these messages that they were read. `sender` is who wrote them in a group.
    pub async fn mark_read(
        &self,
        id: DeviceId,
        chat: &str,
        sender: Option<&str>,
        whatsapp_ids: &[String],
    ) -> Result<(), EngineError> {
        let (chat, sender) = (chat.to_owned(), sender.map(str::to_owned));
        let whatsapp_ids = whatsapp_ids.to_vec();
        self.ask(|reply| Command::MarkRead {
            id,
            chat,
            sender,
            whatsapp_ids,
            reply,
        })
        .await
    }

    /// Whether commands still reach the engine.
    pub fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Takes no more work, writes out every device's state and closes the connections, within a bounded time.
    pub async fn shutdown(&self) {
        // An engine that is gone already has nothing left to write.
        let _ = self.ask(|reply| Command::Shutdown { reply }).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| EngineError::Stopped)?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }
}

/// A message that is being sent.
#[must_use = "await it to learn whether the message was sent"]
pub struct Sending {
    answer: oneshot::Receiver<Result<(), SendError>>,
}

impl Future for Sending {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The engine drops the reply only when it dies in the middle of the attempt.
        Pin::new(&mut self.answer)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(SendError::Transport)))
    }
}
