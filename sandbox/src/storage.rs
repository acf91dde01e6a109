//! The data directory: what makes linked devices survive a restart of the network.
//!
//! ```text
//! server.json              the server's Noise key
//! accounts/<digits>.json   keys, devices with their waiting stanzas, the phone's Signal state
//! ledgers/<digits>.jsonl   appended: rows of the ledger; the last line of a row counts
//! groups.json
//! media/<name>
//! ```
//!
//! Files are written beside their place and renamed, so that a crash leaves the old or the new one.
//! Changes are written every [`INTERVAL`] (less often when that is much), those of pairing, keys and
//! new sessions at once: `kill -9` loses at most what happened since. Sessions that are older than their peers'
//! afterwards are renewed by retry receipts.

mod encoding;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use wacore_binary::marshal::marshal;
use wacore_libsignal::protocol::{IdentityKeyPair, KeyPair};

use crate::account::{Account, Device, KeyBundle, PhoneKeys, Settings, lock};
use crate::app_state::Collections;
use crate::core::Core;
use crate::error::SandboxError;
use crate::groups::GroupState;
use crate::phone::Request;
use crate::phone::ledger::Row;
use crate::phone::signal::{SignalState, StoredSignal};
use crate::views::Behavior;

pub use encoding::{encoded, encoded_list, encoded_map, jid_text, jid_text_option};

/// How often changes are written.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long changes wait when writing them takes long.
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);

pub struct Storage {
    directory: PathBuf,
}

/// What the directory held.
pub struct Loaded {
    pub accounts: Vec<(Arc<Account>, SignalState)>,
    pub groups: Vec<GroupState>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    #[serde(with = "encoded")]
    public: Vec<u8>,
    #[serde(with = "encoded")]
    private: Vec<u8>,
}

impl StoredKey {
    fn of(pair: &KeyPair) -> Self {
        Self {
            public: pair.public_key.serialize().to_vec(),
            private: pair.private_key.serialize().to_vec(),
        }
    }

    fn pair(&self) -> Result<KeyPair, SandboxError> {
        KeyPair::from_public_and_private(&self.public, &self.private)
            .map_err(|failure| SandboxError::Storage(failure.to_string()))
    }
}

#[derive(Serialize, Deserialize)]
struct StoredDevice {
    id: u16,
    platform: String,
    linked_at: DateTime<Utc>,
    #[serde(with = "encoded")]
    noise_key: Vec<u8>,
    key_index: u32,
    #[serde(with = "encoded")]
    signed_identity: Vec<u8>,
    keys: Option<KeyBundle>,
    #[serde(with = "encoded_list")]
    mailbox: Vec<Vec<u8>>,
    welcomed: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredAccount {
    user: String,
    name: String,
    behavior: Behavior,
    created_at: DateTime<Utc>,
    #[serde(with = "encoded")]
    identity: Vec<u8>,
    registration_id: u32,
    signed_pre_key_id: u32,
    signed_pre_key: StoredKey,
    #[serde(with = "encoded")]
    signed_pre_key_signature: Vec<u8>,
    adv_raw_id: u32,
    #[serde(with = "encoded")]
    sync_key_id: Vec<u8>,
    #[serde(with = "encoded")]
    sync_key: Vec<u8>,
    next_pre_key: u32,
    pre_keys: BTreeMap<u32, StoredKey>,
    settings: Settings,
    collections: Collections,
    next_device: u16,
    devices: Vec<StoredDevice>,
    signal: StoredSignal,
}

fn failed(failure: impl std::fmt::Display) -> SandboxError {
    SandboxError::Storage(failure.to_string())
}

impl Storage {
    pub fn open(directory: PathBuf) -> Result<Self, SandboxError> {
        for part in ["accounts", "ledgers", "media"] {
            std::fs::create_dir_all(directory.join(part)).map_err(failed)?;
        }
        Ok(Self { directory })
    }

    pub fn media_dir(&self) -> PathBuf {
        self.directory.join("media")
    }

    /// The server's Noise key, made on first use: clients remember it.
    pub fn server_key(&self) -> Result<KeyPair, SandboxError> {
        let path = self.directory.join("server.json");
        if let Ok(bytes) = std::fs::read(&path) {
            return serde_json::from_slice::<StoredKey>(&bytes).map_err(failed)?.pair();
        }
        let pair = KeyPair::generate(&mut rand::rng());
        write_whole(&path, &serde_json::to_vec(&StoredKey::of(&pair)).map_err(failed)?).map_err(failed)?;
        Ok(pair)
    }

    /// Reads everything back.
    pub fn load(&self) -> Result<Loaded, SandboxError> {
        let mut accounts = Vec::new();
        for entry in std::fs::read_dir(self.directory.join("accounts")).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed)?;
            let stored: StoredAccount = serde_json::from_slice(&bytes).map_err(failed)?;
            accounts.push(self.restore(stored)?);
        }
        let groups = match std::fs::read(self.directory.join("groups.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(failed)?,
            Err(_) => Vec::new(),
        };
        Ok(Loaded { accounts, groups })
    }

    fn restore(&self, stored: StoredAccount) -> Result<(Arc<Account>, SignalState), SandboxError> {
        let keys = PhoneKeys {
            identity: IdentityKeyPair::try_from(stored.identity.as_slice()).map_err(failed)?,
            registration_id: stored.registration_id,
            signed_pre_key_id: stored.signed_pre_key_id,
            signed_pre_key: stored.signed_pre_key.pair()?,
            signed_pre_key_signature: stored.signed_pre_key_signature,
            adv_raw_id: stored.adv_raw_id,
            sync_key_id: stored.sync_key_id,
            sync_key: stored.sync_key,
        };
        let account = Account::new(stored.user, stored.name, stored.behavior, keys, stored.created_at);
        {
            let mut pre_keys = lock(&account.pre_keys);
            pre_keys.next_id = stored.next_pre_key;
            for (id, key) in &stored.pre_keys {
                pre_keys.unused.insert(*id, key.pair()?);
            }
        }
        *lock(&account.settings) = stored.settings;
        *lock(&account.collections) = stored.collections;
        account.next_device.store(stored.next_device, Ordering::Relaxed);
        for device in stored.devices {
            let restored = if device.id == 0 {
                account.device(0).ok_or_else(|| failed("an account without a phone"))?
            } else {
                let restored = Arc::new(Device::companion(
                    device.id,
                    device.platform,
                    device.noise_key,
                    device.key_index,
                    device.linked_at,
                ));
                *lock(&restored.signed_identity) = Some(device.signed_identity);
                restored.has_logged_in.store(true, Ordering::Release);
                account.add_device(Arc::clone(&restored));
                restored
            };
            *lock(&restored.keys) = device.keys;
            restored.welcomed.store(device.welcomed, Ordering::Release);
            let mut mailbox = lock(&restored.mailbox);
            for stanza in device.mailbox.iter().filter_map(|bytes| crate::frame::decode(bytes)) {
                mailbox.push(Arc::new(stanza));
            }
        }
        if let Ok(lines) = std::fs::read_to_string(self.ledger_path(&account.user)) {
            let mut ledger = lock(&account.ledger);
            // A line cut short by a crash is the last one; it is left out.
            for row in lines.lines().filter_map(|line| serde_json::from_str::<Row>(line).ok()) {
                ledger.restore(row);
            }
        }
        let account = Arc::new(account);
        let signal = SignalState::restore(&account, &stored.signal);
        Ok((account, signal))
    }

    fn ledger_path(&self, user: &str) -> PathBuf {
        self.directory.join("ledgers").join(format!("{user}.jsonl"))
    }

    /// Writes the accounts and the groups that changed; with `urgent_only`, only the accounts whose
    /// change must not wait.
    pub async fn save(&self, core: &Core, urgent_only: bool) {
        for account in core.accounts() {
            if !account.urgent.swap(false, Ordering::AcqRel) && urgent_only {
                continue;
            }
            if account.dirty.swap(false, Ordering::AcqRel)
                && let Err(failure) = self.save_account(core, &account).await
            {
                account.mark_dirty();
                tracing::error!(%failure, "an account cannot be written");
            }
        }
        if core.groups_dirty.swap(false, Ordering::AcqRel) {
            let groups: Vec<GroupState> = core
                .groups
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .map(|group: &Arc<Mutex<GroupState>>| lock(group).clone())
                .collect();
            let written = serde_json::to_vec(&groups)
                .map_err(failed)
                .and_then(|bytes| write_whole(&self.directory.join("groups.json"), &bytes).map_err(failed));
            if let Err(failure) = written {
                tracing::error!(%failure, "the groups cannot be written");
            }
        }
    }

    /// Writes a new account before anybody hears of it.
    pub fn save_new(&self, account: &Account) -> Result<(), SandboxError> {
        let stored = stored_account(account, StoredSignal::default())?;
        let bytes = serde_json::to_vec(&stored).map_err(failed)?;
        write_whole(&self.account_path(&account.user), &bytes).map_err(failed)
    }

    /// Writes one account now.
    pub async fn save_account(&self, core: &Core, account: &Arc<Account>) -> Result<(), SandboxError> {
        // One writer at a time, or an older state could be written over a newer one.
        let _writing = account.writing.lock().await;
        let (done, signal) = oneshot::channel();
        account.request(Request::Snapshot(done));
        let signal = core.unless_stopped(signal).await?;
        let rows = lock(&account.ledger).take_unsaved();
        if !rows.is_empty() {
            append_rows(&self.ledger_path(&account.user), &rows).map_err(failed)?;
        }
        let stored = stored_account(account, signal)?;
        let bytes = serde_json::to_vec(&stored).map_err(failed)?;
        let path = self.account_path(&account.user);
        tokio::task::spawn_blocking(move || write_whole(&path, &bytes))
            .await
            .map_err(failed)?
            .map_err(failed)
    }

    fn account_path(&self, user: &str) -> PathBuf {
        self.directory.join("accounts").join(format!("{user}.json"))
    }
}

fn stored_account(account: &Account, signal: StoredSignal) -> Result<StoredAccount, SandboxError> {
    let keys = &account.keys;
    let (next_pre_key, pre_keys) = {
        let pre_keys = lock(&account.pre_keys);
        let stored = pre_keys
            .unused
            .iter()
            .map(|(id, pair)| (*id, StoredKey::of(pair)))
            .collect();
        (pre_keys.next_id, stored)
    };
    let mut devices = Vec::new();
    for device in account.devices().values().filter(|device| device.is_confirmed()) {
        let waiting = lock(&device.mailbox).all();
        let mut mailbox = Vec::with_capacity(waiting.len());
        for stanza in waiting {
            mailbox.push(marshal(&stanza).map_err(failed)?);
        }
        devices.push(StoredDevice {
            id: device.id,
            platform: device.platform.clone(),
            linked_at: device.linked_at,
            noise_key: device.noise_key.clone(),
            key_index: device.key_index,
            signed_identity: lock(&device.signed_identity).clone().unwrap_or_default(),
            keys: lock(&device.keys).clone(),
            mailbox,
            welcomed: device.welcomed.load(Ordering::Acquire),
        });
    }
    Ok(StoredAccount {
        user: account.user.clone(),
        name: account.name(),
        behavior: account.behavior(),
        created_at: account.created_at,
        identity: keys.identity.serialize().to_vec(),
        registration_id: keys.registration_id,
        signed_pre_key_id: keys.signed_pre_key_id,
        signed_pre_key: StoredKey::of(&keys.signed_pre_key),
        signed_pre_key_signature: keys.signed_pre_key_signature.clone(),
        adv_raw_id: keys.adv_raw_id,
        sync_key_id: keys.sync_key_id.clone(),
        sync_key: keys.sync_key.clone(),
        next_pre_key,
        pre_keys,
        settings: lock(&account.settings).clone(),
        collections: lock(&account.collections).clone(),
        next_device: account.next_device.load(Ordering::Relaxed),
        devices,
        signal,
    })
}

fn append_rows(path: &Path, rows: &[Row]) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&lines)
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("part");
    std::fs::write(&unfinished, bytes)?;
    std::fs::rename(unfinished, path)
}

/// Writes changes until the network stops.
pub async fn run(core: Arc<Core>) {
    let Some(storage) = &core.storage else {
        return;
    };
    let mut pause = INTERVAL;
    loop {
        let due = tokio::time::sleep(pause);
        tokio::pin!(due);
        loop {
            tokio::select! {
                () = core.stop.cancelled() => return,
                () = &mut due => break,
                () = core.save_now.notified() => storage.save(&core, true).await,
            }
        }
        let started = Instant::now();
        storage.save(&core, false).await;
        // Under load every account changes all the time: writing takes a tenth of the time at most.
        pause = (started.elapsed() * 9).clamp(INTERVAL, LONGEST_INTERVAL);
    }
}
