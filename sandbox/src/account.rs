//! An account: one phone number, its phone (device 0) and its linked companions.
//!
//! Everything here is guarded by short locks that are never held across an await. The Signal state
//! of the phone is not here: it belongs to the phone's task (see [`crate::phone`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{IdentityKeyPair, KeyPair};

use crate::app_state::Collections;
use crate::connection::Connection;
use crate::mailbox::Mailbox;
use crate::number::{Addressing, lid_of, with_plus};
use crate::phone::ledger::Ledger;
use crate::views::{Behavior, LinkedDevice, Phone};

/// Locks without minding whether another thread panicked: the guarded values have no state that a
/// panic could leave half-made.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys of a phone that never change.
#[derive(Clone)]
pub struct PhoneKeys {
    /// The phone's Signal identity, which signs the identities of companions.
    pub identity: IdentityKeyPair,
    pub registration_id: u32,
    pub signed_pre_key_id: u32,
    pub signed_pre_key: KeyPair,
    pub signed_pre_key_signature: Vec<u8>,
    /// `raw_id` of the account's ADV messages.
    pub adv_raw_id: u32,
    /// The app-state sync key every companion gets: its id and its bytes.
    pub sync_key_id: Vec<u8>,
    pub sync_key: Vec<u8>,
}

/// One-time keys of a phone, made when somebody asks for one: they never run out.
#[derive(Default)]
pub struct PhonePreKeys {
    pub next_id: u32,
    pub unused: HashMap<u32, KeyPair>,
}

/// What goes wrong for the account's companions, and for messages to it.
#[derive(Default)]
pub struct Faults {
    /// Messages until a socket is cut before the ack.
    pub drop_after: Option<u32>,
    /// How many more messages to this account are refused, and with which code.
    pub nack_next: Option<(u32, u16)>,
    pub refuse_connections: bool,
    pub freeze_connections: bool,
}

/// Account-wide settings that clients read and write.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    pub about: String,
    pub privacy: BTreeMap<String, String>,
    pub blocklist: Vec<String>,
}

pub struct Account {
    /// The number's digits.
    pub user: String,
    /// The digits of the hidden identity.
    pub lid: String,
    pub created_at: DateTime<Utc>,
    pub keys: PhoneKeys,
    pub pre_keys: Mutex<PhonePreKeys>,
    pub name: RwLock<String>,
    pub behavior: RwLock<Behavior>,
    pub faults: Mutex<Faults>,
    pub settings: Mutex<Settings>,
    pub collections: Mutex<Collections>,
    pub ledger: Mutex<Ledger>,
    pub next_device: AtomicU16,
    devices: RwLock<Arc<BTreeMap<u16, Arc<Device>>>>,
    /// What the API asks of the phone's task.
    pub requests: Mutex<VecDeque<crate::phone::Request>>,
    /// Wakes the phone's task: its mailbox, its requests or its behaviour changed.
    pub wake: Notify,
    /// Set by every change that belongs on disk, cleared when it was written.
    pub dirty: AtomicBool,
    /// Set besides `dirty` by changes that must not wait for the interval.
    pub urgent: AtomicBool,
    /// Held while the account is written to disk.
    pub writing: tokio::sync::Mutex<()>,
}

impl Account {
    pub fn new(user: String, name: String, behavior: Behavior, keys: PhoneKeys, created_at: DateTime<Utc>) -> Self {
        let phone = Arc::new(Device::phone(created_at));
        Self {
            lid: lid_of(&user),
            user,
            created_at,
            keys,
            pre_keys: Mutex::new(PhonePreKeys {
                next_id: 1,
                unused: HashMap::new(),
            }),
            name: RwLock::new(name),
            behavior: RwLock::new(behavior),
            faults: Mutex::default(),
            settings: Mutex::default(),
            collections: Mutex::default(),
            ledger: Mutex::default(),
            next_device: AtomicU16::new(1),
            devices: RwLock::new(Arc::new(BTreeMap::from([(0, phone)]))),
            requests: Mutex::default(),
            wake: Notify::new(),
            dirty: AtomicBool::new(true),
            urgent: AtomicBool::new(false),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    /// The number with its plus sign.
    pub fn number(&self) -> String {
        with_plus(&self.user)
    }

    /// The account's jid, without a device.
    pub fn jid(&self, addressing: Addressing) -> Jid {
        self.device_jid(addressing, 0)
    }

    /// The jid of one of its devices.
    pub fn device_jid(&self, addressing: Addressing, device: u16) -> Jid {
        match addressing {
            Addressing::Number => Jid::pn_device(self.user.as_str(), device),
            Addressing::Hidden => Jid::lid_device(self.lid.as_str(), device),
        }
    }

    pub fn name(&self) -> String {
        self.name.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn behavior(&self) -> Behavior {
        self.behavior.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads a part of the behaviour without copying all of it.
    pub fn with_behavior<T>(&self, read: impl FnOnce(&Behavior) -> T) -> T {
        read(&self.behavior.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The devices as they are now, the phone included; a cheap snapshot.
    pub fn devices(&self) -> Arc<BTreeMap<u16, Arc<Device>>> {
        Arc::clone(&self.devices.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn device(&self, id: u16) -> Option<Arc<Device>> {
        self.devices().get(&id).cloned()
    }

    pub fn add_device(&self, device: Arc<Device>) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = BTreeMap::clone(&devices);
        changed.insert(device.id, device);
        *devices = Arc::new(changed);
    }

    pub fn remove_device(&self, id: u16) -> Option<Arc<Device>> {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = BTreeMap::clone(&devices);
        let removed = changed.remove(&id);
        *devices = Arc::new(changed);
        removed
    }

    pub fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// Hands work to the phone's task.
    pub fn request(&self, request: crate::phone::Request) {
        lock(&self.requests).push_back(request);
        self.wake.notify_one();
    }

    /// Stanzas its companions have not acknowledged.
    pub fn waiting(&self) -> usize {
        let devices = self.devices();
        let companions = devices.values().filter(|device| device.id != 0);
        companions.map(|device| lock(&device.mailbox).len()).sum()
    }

    /// What callers see.
    pub fn view(&self) -> Phone {
        let behavior = self.behavior();
        Phone {
            number: self.number(),
            name: self.name(),
            online: behavior.online,
            lid: self.jid(Addressing::Hidden).to_string(),
            behavior,
            linked_devices: self
                .devices()
                .values()
                .filter(|device| device.id != 0 && device.is_confirmed())
                .map(|device| device.view())
                .collect(),
            received_count: lock(&self.ledger).len(),
            created_at: self.created_at,
        }
    }
}

/// Public keys a companion uploaded for others to start sessions with.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct KeyBundle {
    pub registration_id: u32,
    #[serde(with = "crate::storage::encoded")]
    pub identity: Vec<u8>,
    pub signed_id: u32,
    #[serde(with = "crate::storage::encoded")]
    pub signed_key: Vec<u8>,
    #[serde(with = "crate::storage::encoded")]
    pub signed_signature: Vec<u8>,
    /// One-time keys, each handed out once, oldest first.
    pub one_time: VecDeque<OneTimeKey>,
}

/// A one-time key: id and public key.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct OneTimeKey {
    pub id: u32,
    #[serde(with = "crate::storage::encoded")]
    pub key: Vec<u8>,
}

/// A device of an account; 0 is the phone.
pub struct Device {
    pub id: u16,
    pub platform: String,
    pub linked_at: DateTime<Utc>,
    /// The static key the device proves on login; empty for the phone.
    pub noise_key: Vec<u8>,
    pub key_index: u32,
    /// ADVSignedDeviceIdentity with both signatures; others get it with the device's keys.
    pub signed_identity: Mutex<Option<Vec<u8>>>,
    pub keys: Mutex<Option<KeyBundle>>,
    pub mailbox: Mutex<Mailbox>,
    /// The open connection, when there is one.
    pub connection: Mutex<Option<Arc<Connection>>>,
    /// Whether the phone has sent this device what a new companion needs.
    pub welcomed: AtomicBool,
    /// Wakes whoever waits for the device's first login.
    pub logged_in: Notify,
    pub has_logged_in: AtomicBool,
}

impl Device {
    fn phone(created_at: DateTime<Utc>) -> Self {
        Self::companion(0, "phone".to_owned(), Vec::new(), 0, created_at)
    }

    pub fn companion(id: u16, platform: String, noise_key: Vec<u8>, key_index: u32, linked_at: DateTime<Utc>) -> Self {
        Self {
            id,
            platform,
            linked_at,
            noise_key,
            key_index,
            signed_identity: Mutex::default(),
            keys: Mutex::default(),
            mailbox: Mutex::default(),
            connection: Mutex::default(),
            welcomed: AtomicBool::new(false),
            logged_in: Notify::new(),
            has_logged_in: AtomicBool::new(false),
        }
    }

    /// Whether pairing got as far as the device's own signature.
    pub fn is_confirmed(&self) -> bool {
        self.id == 0 || lock(&self.signed_identity).is_some()
    }

    pub fn live_connection(&self) -> Option<Arc<Connection>> {
        lock(&self.connection).clone()
    }

    /// Gives a stanza to the device: kept until acknowledged, and sent now if it is connected.
    pub fn deliver(&self, account: &Account, stanza: Node) {
        let stanza = Arc::new(stanza);
        if self.id == 0 {
            lock(&self.mailbox).push(stanza);
            account.wake.notify_one();
        } else {
            // Under the mailbox's lock, so that a login that replays the mailbox at this moment
            // neither misses the stanza nor sends it twice.
            let mut mailbox = lock(&self.mailbox);
            mailbox.push(Arc::clone(&stanza));
            if let Some(connection) = self.live_connection()
                && connection.is_active()
            {
                connection.send_shared(stanza);
            }
        }
        account.mark_dirty();
    }

    /// Gives a stanza to the device only if it is connected: typing, presence.
    pub fn deliver_if_online(&self, stanza: Node) {
        if let Some(connection) = self.live_connection()
            && connection.is_active()
        {
            connection.send(stanza);
        }
    }

    pub fn view(&self) -> LinkedDevice {
        LinkedDevice {
            id: self.id,
            platform: self.platform.clone(),
            online: self.live_connection().is_some(),
            linked_at: self.linked_at,
        }
    }
}
