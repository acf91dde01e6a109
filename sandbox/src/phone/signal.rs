//! A phone's Signal state: sessions, known identities, sender keys.
//!
//! Sessions are kept by account and device (`digits:device`), whichever addressing a stanza used:
//! numbers and hidden identities of one device are one session.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use wacore_libsignal::protocol::error::Result;
use wacore_libsignal::protocol::{
    DeviceId, Direction, GenericSignedPreKey, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyId,
    PreKeyRecord, PreKeyStore, ProtocolAddress, SenderKeyName, SenderKeyRecord, SenderKeyStore, SessionRecord,
    SessionStore, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp,
};

use crate::account::{Account, lock};

/// The address of a device's session.
pub fn address(account: &Account, device: u16) -> ProtocolAddress {
    ProtocolAddress::new(&format!("{}:{device}", account.user), DeviceId::new(0))
}

/// The name of a device's sender key in a group.
pub fn sender_key_name(group: &str, account: &Account, device: u16) -> SenderKeyName {
    SenderKeyName::new(group.to_owned(), format!("{}:{device}", account.user))
}

#[derive(Default)]
pub struct Sessions(pub HashMap<String, SessionRecord>);

pub struct Identities {
    pub own: IdentityKeyPair,
    pub registration_id: u32,
    pub known: HashMap<String, IdentityKey>,
}

/// One-time keys, shared with the server's key handler, which makes them.
pub struct PreKeys(pub Arc<Account>);

pub struct SignedPreKeys(pub Arc<Account>);

#[derive(Default)]
pub struct SenderKeys(pub HashMap<String, SenderKeyRecord>);

pub struct SignalState {
    pub sessions: Sessions,
    pub identities: Identities,
    pub pre_keys: PreKeys,
    pub signed_pre_keys: SignedPreKeys,
    pub sender_keys: SenderKeys,
}

/// The state as it is kept on disk.
#[derive(Default, Serialize, Deserialize)]
pub struct StoredSignal {
    #[serde(with = "crate::storage::encoded_map")]
    pub sessions: HashMap<String, Vec<u8>>,
    #[serde(with = "crate::storage::encoded_map")]
    pub identities: HashMap<String, Vec<u8>>,
    #[serde(with = "crate::storage::encoded_map")]
    pub sender_keys: HashMap<String, Vec<u8>>,
}

impl SignalState {
    pub fn new(account: &Arc<Account>) -> Self {
        Self {
            sessions: Sessions::default(),
            identities: Identities {
                own: account.keys.identity.clone(),
                registration_id: account.keys.registration_id,
                known: HashMap::new(),
            },
            pre_keys: PreKeys(Arc::clone(account)),
            signed_pre_keys: SignedPreKeys(Arc::clone(account)),
            sender_keys: SenderKeys::default(),
        }
    }

    /// Reads the state back. Records that cannot be read are left out: the retry receipts of their
    /// next message make new ones.
    pub fn restore(account: &Arc<Account>, stored: &StoredSignal) -> Self {
        let mut state = Self::new(account);
        for (address, bytes) in &stored.sessions {
            if let Ok(record) = SessionRecord::deserialize(bytes) {
                state.sessions.0.insert(address.clone(), record);
            }
        }
        for (address, bytes) in &stored.identities {
            if let Ok(identity) = IdentityKey::decode(bytes) {
                state.identities.known.insert(address.clone(), identity);
            }
        }
        for (name, bytes) in &stored.sender_keys {
            if let Ok(record) = SenderKeyRecord::deserialize(bytes) {
                state.sender_keys.0.insert(name.clone(), record);
            }
        }
        state
    }

    pub fn stored(&self) -> StoredSignal {
        let mut sessions = HashMap::with_capacity(self.sessions.0.len());
        for (address, record) in &self.sessions.0 {
            if let Ok(bytes) = record.serialize() {
                sessions.insert(address.clone(), bytes);
            }
        }
        let mut sender_keys = HashMap::with_capacity(self.sender_keys.0.len());
        for (name, record) in &self.sender_keys.0 {
            if let Ok(bytes) = record.serialize() {
                sender_keys.insert(name.clone(), bytes);
            }
        }
        let identities = self
            .identities
            .known
            .iter()
            .map(|(address, identity)| (address.clone(), identity.serialize().to_vec()))
            .collect();
        StoredSignal {
            sessions,
            identities,
            sender_keys,
        }
    }

    pub fn has_session(&self, address: &ProtocolAddress) -> bool {
        self.sessions
            .0
            .get(address.as_str())
            .is_some_and(|record| record.session_state().is_some())
    }

    /// Forgets a device that was unlinked.
    pub fn forget(&mut self, account: &Account, device: u16) {
        let address = address(account, device);
        self.sessions.0.remove(address.as_str());
        self.identities.known.remove(address.as_str());
    }

    pub fn lose_sessions(&mut self) {
        self.sessions.0.clear();
        self.sender_keys.0.clear();
        lock(&self.pre_keys.0.pre_keys).unused.clear();
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.get(address.as_str()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.contains_key(address.as_str()))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        self.0.insert(address.as_str().to_owned(), record);
        Ok(())
    }
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(&mut self, address: &ProtocolAddress, identity: &IdentityKey) -> Result<IdentityChange> {
        if self.known.get(address.as_str()) == Some(identity) {
            return Ok(IdentityChange::NewOrUnchanged);
        }
        let previous = self.known.insert(address.as_str().to_owned(), *identity);
        Ok(IdentityChange::from_changed(previous.is_some()))
    }

    /// Phones trust whoever writes: people who reinstall change their identity.
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.known.get(address.as_str()).copied())
    }
}

#[async_trait]
impl PreKeyStore for PreKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        lock(&self.0.pre_keys)
            .unused
            .get(&u32::from(id))
            .map(|pair| PreKeyRecord::new(id, pair))
            .ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Result<()> {
        let pair = record.key_pair()?;
        lock(&self.0.pre_keys).unused.insert(u32::from(id), pair);
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        lock(&self.0.pre_keys).unused.remove(&u32::from(id));
        Ok(())
    }
}

#[async_trait]
impl SignedPreKeyStore for SignedPreKeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        let keys = &self.0.keys;
        if u32::from(id) != keys.signed_pre_key_id {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        Ok(SignedPreKeyRecord::new(
            id,
            Timestamp::from_epoch_millis(0),
            &keys.signed_pre_key,
            &keys.signed_pre_key_signature,
        ))
    }

    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        self.0.insert(name.cache_key().to_owned(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        Ok(self.0.get(name.cache_key()).cloned())
    }
}
