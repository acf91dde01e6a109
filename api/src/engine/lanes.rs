//! Sends on one device: chats side by side, the messages of one chat one after the other.
//!
//! **Invariant:** a message is among the unconfirmed from before it can reach the connection until the server took or
//! refused it, or until it was told as [`EventKind::Unconfirmed`](super::EventKind::Unconfirmed). So no send can be
//! forgotten between the connection and its acknowledgement.
//!
//! Why a message that was sent twice is read by everybody: the library leases counters of a Signal chain in blocks, and
//! makes a lease durable before anything encrypted under it leaves. After a crash it goes on behind the lease, so no
//! counter is used for two messages. The recipient can open both copies and tells by the id that they are one message.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use whatsapp_rust::{Client, ClientError, IqError, SendOptions};

use super::{
    Outgoing, SendError,
    addresses::parse_chat,
    directory::Directory,
    listener::Signals,
    originals::{Secrets, compose},
    subjects::Subjects,
};

/// More than this many waiting sends are refused: callers are to wait for answers.
const LARGEST: usize = 4096;
/// One attempt may need the recipient's devices and keys first.
const PATIENCE: Duration = Duration::from_mins(1);

struct Job {
    outgoing: Outgoing,
    reply: oneshot::Sender<Result<(), SendError>>,
}

/// The sends of one device.
pub(super) struct Lanes {
    client: Arc<Client>,
    signals: Arc<Signals>,
    directory: Arc<Directory>,
    secrets: Secrets,
    subjects: Arc<Subjects>,
    state: Mutex<State>,
    /// Wakes the actor when the first send begins to wait for its acknowledgement.
    pub(super) waiting: Notify,
}

#[derive(Default)]
struct State {
    waiting: HashMap<String, VecDeque<Job>>,
    jobs: usize,
    unconfirmed: HashMap<String, Instant>,
}

impl Lanes {
    pub(super) fn new(
        client: Arc<Client>,
        signals: Arc<Signals>,
        directory: Arc<Directory>,
        secrets: Secrets,
        subjects: Arc<Subjects>,
    ) -> Arc<Self> {
        Arc::new(Self {
            client,
            signals,
            directory,
            secrets,
            subjects,
            state: Mutex::default(),
            waiting: Notify::new(),
        })
    }

    /// Sends when the chat's earlier messages are sent.
    pub(super) fn push(self: &Arc<Self>, outgoing: Outgoing, reply: oneshot::Sender<Result<(), SendError>>) {
        let job = Job { outgoing, reply };
        let mut state = self.state();
        if !self.signals.is_online() || state.jobs >= LARGEST {
            // Whoever asked may have been cancelled.
            let _ = job.reply.send(Err(SendError::NotConnected));
            return;
        }
        state.jobs += 1;
        match state.waiting.entry(job.outgoing.to.clone()) {
            Entry::Occupied(mut lane) => lane.get_mut().push_back(job),
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::new());
                tokio::spawn(Arc::clone(self).run(job));
            }
        }
    }

    async fn run(self: Arc<Self>, first: Job) {
        let chat = first.outgoing.to.clone();
        let mut next = Some(first);
        while let Some(Job { outgoing, reply }) = next {
            let result = self.send(outgoing).await;
            let _ = reply.send(result);
            let mut state = self.state();
            state.jobs -= 1;
            next = state.waiting.get_mut(&chat).and_then(VecDeque::pop_front);
            if next.is_none() {
                state.waiting.remove(&chat);
            }
        }
    }

    async fn send(&self, outgoing: Outgoing) -> Result<(), SendError> {
        if !self.signals.is_online() {
            return Err(SendError::NotConnected);
        }
        let to = parse_chat(&outgoing.to).ok_or(SendError::Address)?;
        if !self.directory.is_reachable(&self.client, &to).await {
            return Err(SendError::NotOnWhatsApp);
        }
        let options = SendOptions::default().with_message_id(outgoing.whatsapp_id.clone());
        if outgoing.recovery {
            metrics::counter!("engine_sends_repeated").increment(1);
        }
        let message = compose(outgoing.content, self.secrets.of(&outgoing.whatsapp_id));

        self.begin(&outgoing.whatsapp_id);
        let attempt = self.client.send_message_with_options(to.clone(), message, options);
        let result = match tokio::time::timeout(PATIENCE, attempt).await {
            Ok(Ok(_)) => {
                self.subjects.learn(&self.client, &to);
                return Ok(());
            }
            Ok(Err(error)) => translate(&error),
            Err(_) => SendError::Timeout,
        };
        self.settle(&outgoing.whatsapp_id);
        Err(result)
    }

    fn begin(&self, whatsapp_id: &str) {
        let mut state = self.state();
        let first = state.unconfirmed.is_empty();
        state.unconfirmed.insert(whatsapp_id.to_owned(), Instant::now());
        if first {
            self.waiting.notify_one();
        }
    }

    /// The server answered for this message, or the caller was told that it failed.
    pub(super) fn settle(&self, whatsapp_id: &str) {
        self.state().unconfirmed.remove(whatsapp_id);
    }

    /// When the oldest unconfirmed send began.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.state().unconfirmed.values().min().copied()
    }

    /// Takes the unconfirmed sends that began before `limit`, oldest first; all of them without one.
    pub(super) fn take_unconfirmed(&self, limit: Option<Instant>) -> Vec<String> {
        let mut state = self.state();
        let mut taken: Vec<_> = state
            .unconfirmed
            .extract_if(|_, began| limit.is_none_or(|limit| *began <= limit))
            .map(|(id, began)| (began, id))
            .collect();
        drop(state);
        taken.sort_unstable();
        taken.into_iter().map(|(_, id)| id).collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn translate(error: &whatsapp_rust::SendError) -> SendError {
    use whatsapp_rust::SendError as Library;
    match error {
        // The requests that fail so come before the message: nothing has been written.
        Library::NotLoggedIn
        | Library::Client(ClientError::NotConnected | ClientError::NotLoggedIn)
        | Library::Iq(IqError::NotConnected | IqError::Disconnected(_) | IqError::InternalChannelClosed) => {
            SendError::NotConnected
        }
        Library::Client(ClientError::Socket(_) | ClientError::EncryptSend(_)) => SendError::Transport,
        Library::InvalidRequest(reason) => SendError::Rejected(reason.clone()),
        other => SendError::Failed(other.to_string()),
    }
}
