//! The state all connections, phones and API calls share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Notify, broadcast, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wacore_binary::Jid;

use crate::account::{Account, lock};
use crate::error::SandboxError;
use crate::groups::GroupState;
use crate::media::MediaShelf;
use crate::noise::ServerIdentity;
use crate::number::{Addressing, parse_number};
use crate::pairing::Pairings;
use crate::storage::Storage;
use crate::views::{NetworkEvent, NetworkStats};

/// Events kept for a slow subscriber before it loses the oldest.
const EVENT_BACKLOG: usize = 4096;

/// Counters behind [`NetworkStats`].
#[derive(Default)]
pub struct Counters {
    pub connections: AtomicUsize,
    pub stanzas_in: AtomicU64,
    pub stanzas_out: AtomicU64,
    pub messages: AtomicU64,
}

pub struct Core {
    pub address: SocketAddr,
    pub identity: ServerIdentity,
    accounts: RwLock<HashMap<String, Arc<Account>>>,
    by_lid: RwLock<HashMap<String, Arc<Account>>>,
    pub groups: RwLock<HashMap<String, Arc<Mutex<GroupState>>>>,
    pub pairings: Mutex<Pairings>,
    pub media: MediaShelf,
    pub events: broadcast::Sender<NetworkEvent>,
    pub counters: Counters,
    pub storage: Option<Storage>,
    /// Whether accounts linked from now on address direct messages by hidden identity.
    pub hidden_addressing: AtomicBool,
    /// Set on shutdown: connections are refused while the state is written.
    pub closing: AtomicBool,
    /// Cancelled on shutdown: ends every task.
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    /// Wakes the writer of the data directory before its interval is over.
    pub save_now: Notify,
    pub groups_dirty: AtomicBool,
}

impl Core {
    pub fn new(address: SocketAddr, identity: ServerIdentity, storage: Option<Storage>) -> Self {
        let media = MediaShelf::new(storage.as_ref().map(Storage::media_dir));
        Self {
            address,
            identity,
            accounts: RwLock::default(),
            by_lid: RwLock::default(),
            groups: RwLock::default(),
            pairings: Mutex::default(),
            media,
            events: broadcast::channel(EVENT_BACKLOG).0,
            counters: Counters::default(),
            storage,
            hidden_addressing: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            save_now: Notify::new(),
            groups_dirty: AtomicBool::new(false),
        }
    }

    /// Adds an account; `false` when the number is taken.
    pub fn insert_account(&self, account: &Arc<Account>) -> bool {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        if accounts.contains_key(&account.user) {
            return false;
        }
        accounts.insert(account.user.clone(), Arc::clone(account));
        drop(accounts);
        self.by_lid
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account.lid.clone(), Arc::clone(account));
        true
    }

    pub fn accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<_> = self
            .accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        accounts.sort_by(|one, other| (one.created_at, &one.user).cmp(&(other.created_at, &other.user)));
        accounts
    }

    pub fn account(&self, digits: &str) -> Option<Arc<Account>> {
        self.accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digits)
            .cloned()
    }

    /// The account a caller of the API names.
    pub fn account_by_number(&self, number: &str) -> Result<Arc<Account>, SandboxError> {
        let digits = parse_number(number)?;
        self.account(&digits)
            .ok_or_else(|| SandboxError::NoSuchPhone(crate::number::with_plus(&digits)))
    }

    /// The account a jid belongs to, in either addressing.
    pub fn account_of(&self, jid: &Jid) -> Option<Arc<Account>> {
        match Addressing::of(jid)? {
            Addressing::Number => self.account(jid.user.as_str()),
            Addressing::Hidden => self
                .by_lid
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(jid.user.as_str())
                .cloned(),
        }
    }

    /// The account a jid belongs to, unless its number looks as if it were not on WhatsApp.
    pub fn visible_account_of(&self, jid: &Jid) -> Option<Arc<Account>> {
        self.account_of(jid)
            .filter(|account| account.with_behavior(|behavior| behavior.on_whatsapp))
    }

    pub fn group(&self, id: &str) -> Option<Arc<Mutex<GroupState>>> {
        self.groups
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    pub fn emit(&self, event: NetworkEvent) {
        // Without subscribers there is nobody to tell.
        let _ = self.events.send(event);
    }

    /// The addressing new conversations use.
    pub fn addressing(&self) -> Addressing {
        if self.hidden_addressing.load(Ordering::Relaxed) {
            Addressing::Hidden
        } else {
            Addressing::Number
        }
    }

    /// Marks an account as changed and has it written without waiting for the interval: pairing and
    /// keys are lost for good otherwise.
    pub fn save_soon(&self, account: &Account) {
        account.urgent.store(true, Ordering::Release);
        account.mark_dirty();
        self.save_now.notify_one();
    }

    /// Waits for a phone's answer; a phone whose task has ended gives none.
    pub async fn unless_stopped<T>(&self, answer: oneshot::Receiver<T>) -> Result<T, SandboxError> {
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| SandboxError::Closed),
            () = self.stop.cancelled() => Err(SandboxError::Closed),
        }
    }

    pub fn stats(&self) -> NetworkStats {
        NetworkStats {
            connections: self.counters.connections.load(Ordering::Relaxed),
            stanzas_in: self.counters.stanzas_in.load(Ordering::Relaxed),
            stanzas_out: self.counters.stanzas_out.load(Ordering::Relaxed),
            messages: self.counters.messages.load(Ordering::Relaxed),
            waiting: self.accounts().iter().map(|account| account.waiting()).sum(),
            media_bytes: self.media.bytes(),
        }
    }

    /// All groups an account is in.
    pub fn groups_of(&self, account: &Account) -> Vec<Arc<Mutex<GroupState>>> {
        let mut found: Vec<_> = self
            .groups
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .filter(|group| lock(group).members.contains_key(&account.user))
            .cloned()
            .collect();
        found.sort_by_key(|group| lock(group).created_at);
        found
    }
}
