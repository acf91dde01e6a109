//! Simulated phones: device 0 of each account, with Signal sessions of its own.
//!
//! Each phone is a task. It takes stanzas from its mailbox while it is online, opens them, writes
//! its ledger, sends receipts and replies as its behaviour says, and does what the API asks
//! ([`Request`]). It speaks to the server the way a client does: through the same handlers.
//!
//! **Invariant:** only the phone's task touches its Signal state.

mod content;
mod history;
pub mod keys;
pub mod ledger;
mod receiving;
mod retries;
mod sending;
pub mod signal;
mod welcome;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use waproto::whatsapp as wa;

use crate::account::{Account, lock};
use crate::core::Core;
use crate::error::SandboxError;
use crate::handlers::Origin;
use signal::SignalState;

/// Messages a phone remembers to send again when a device could not open them.
const REMEMBERED: usize = 1_000;

/// Where a phone writes to.
#[derive(Clone)]
pub enum Destination {
    Account(Arc<Account>),
    /// The user part of the group's jid.
    Group(String),
}

/// What is asked of a phone's task.
pub enum Request {
    /// Send what a new companion needs: the app-state key and the history.
    Welcome(u16),
    /// A companion was unlinked.
    Forget(u16),
    Send {
        to: Destination,
        message: Box<wa::Message>,
        done: Option<oneshot::Sender<Result<String, SandboxError>>>,
    },
    LoseSessions,
    /// The Signal state as it is kept on disk.
    Snapshot(oneshot::Sender<signal::StoredSignal>),
}

/// A sent message, kept for retries.
struct Sent {
    id: String,
    to: Destination,
    message: wa::Message,
}

pub(crate) struct PhoneTask {
    core: Arc<Core>,
    account: Arc<Account>,
    signal: SignalState,
    sent: VecDeque<Sent>,
    /// Which devices have our sender key, by group: `user:device`.
    key_holders: HashMap<String, HashSet<String>>,
    history: history::History,
    /// How often we asked for a message again.
    retries: HashMap<String, u8>,
}

/// Starts the task of a phone.
pub fn spawn(core: &Arc<Core>, account: &Arc<Account>, signal: SignalState) {
    let task = PhoneTask {
        core: Arc::clone(core),
        account: Arc::clone(account),
        signal,
        sent: VecDeque::new(),
        key_holders: HashMap::new(),
        history: history::History::default(),
        retries: HashMap::new(),
    };
    core.tasks.spawn(task.run());
}

impl PhoneTask {
    async fn run(mut self) {
        let stop = self.core.stop.clone();
        loop {
            let account = Arc::clone(&self.account);
            let woken = account.wake.notified();
            self.work().await;
            tokio::select! {
                () = woken => {}
                () = stop.cancelled() => break,
            }
        }
        // The last snapshot is asked for while the network shuts down.
        self.requests().await;
    }

    async fn work(&mut self) {
        let Some(phone) = self.account.device(0) else {
            return;
        };
        let mut since_yield = 0u32;
        loop {
            self.requests().await;
            if !self.account.with_behavior(|behavior| behavior.online) {
                return;
            }
            let next = lock(&phone.mailbox).first();
            let Some((place, stanza)) = next else {
                return;
            };
            self.receive(&stanza).await;
            lock(&phone.mailbox).remove(place);
            self.account.mark_dirty();
            // Nothing above waits for anything: leave the thread to others now and then.
            since_yield += 1;
            if since_yield.is_multiple_of(32) {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn requests(&mut self) {
        loop {
            let request = lock(&self.account.requests).pop_front();
            let Some(request) = request else {
                return;
            };
            match request {
                Request::Welcome(device) => self.welcome(device).await,
                Request::Forget(device) => {
                    let account = Arc::clone(&self.account);
                    self.signal.forget(&account, device);
                }
                Request::Send { to, message, done } => {
                    let outcome = self.send(&to, *message, None).await;
                    if let Some(done) = done {
                        // Whoever asked may be gone.
                        let _ = done.send(outcome);
                    }
                }
                Request::LoseSessions => {
                    self.signal.lose_sessions();
                    self.key_holders.clear();
                }
                Request::Snapshot(done) => {
                    let _ = done.send(self.signal.stored());
                }
            }
            self.account.mark_dirty();
        }
    }

    fn origin(&self) -> Origin {
        Origin {
            account: Arc::clone(&self.account),
            device: 0,
        }
    }
}
