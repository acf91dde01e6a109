//! Signal's state: identities, sessions, one-time and signed keys, group keys. Every write is durable when it returns, but
//! for identities, which are noted again with the next message, and for sessions that only decrypted since: what they lose
//! in a crash the next message derives anew. They take effect in the writer's order, after the copy of what was decrypted.
//!
//! **Invariant:** a key that the server may hand out exists here before it is uploaded, and a consumed one stays deleted.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wacore::store::{error::StoreError, traits::SignalStore};

use super::{Space, Storage, StoreResult, records::Plain};

#[async_trait]
impl SignalStore for Storage {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> StoreResult<()> {
        self.records
            .put_behind([Plain::new(Space::Identity, address, key)])
            .await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> StoreResult<()> {
        self.records
            .put_behind(
                identities
                    .iter()
                    .map(|(address, key)| Plain::new(Space::Identity, address.as_bytes(), *key)),
            )
            .await
    }

    async fn load_identity(&self, address: &str) -> StoreResult<Option<[u8; 32]>> {
        let stored = self.records.get(Space::Identity, address.as_bytes()).await?;
        stored
            .map(|key| {
                key.try_into()
                    .map_err(|_| StoreError::Validation("an identity key has 32 bytes".into()))
            })
            .transpose()
    }

    async fn delete_identity(&self, address: &str) -> StoreResult<()> {
        self.records.delete_behind(Space::Identity, [address.into()]).await
    }

    async fn get_session(&self, address: &str) -> StoreResult<Option<Bytes>> {
        let session = self.records.get(Space::Session, address.as_bytes()).await?;
        if let Some(session) = &session {
            self.reservations.note(address, session);
        }
        Ok(session.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> StoreResult<()> {
        self.put_sessions_batch(&[(address.into(), Bytes::copy_from_slice(session))])
            .await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> StoreResult<()> {
        let entries = sessions
            .iter()
            .map(|(address, record)| entry(Space::Session, address, record));
        let must = |(address, record): &(Arc<str>, Bytes)| self.reservations.must_be_durable(address, record);
        if sessions.iter().any(must) {
            self.records.put(entries).await?;
        } else {
            self.records.put_behind(entries).await?;
        }
        for (address, record) in sessions {
            self.reservations.note(address, record);
        }
        Ok(())
    }

    async fn delete_session(&self, address: &str) -> StoreResult<()> {
        self.records.delete(Space::Session, [address.into()]).await
    }

    async fn has_signal_state_for_user(&self, user: &str) -> StoreResult<bool> {
        let prefixes = [format!("{user}@").into_bytes(), format!("{user}:").into_bytes()];
        self.records
            .any_begins(&[Space::Session, Space::Identity], &prefixes)
            .await
    }

    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> StoreResult<()> {
        self.put_prekeys([(id, Bytes::copy_from_slice(record))]).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> StoreResult<()> {
        self.put_prekeys(keys.iter().cloned()).await
    }

    async fn load_prekey(&self, id: u32) -> StoreResult<Option<Bytes>> {
        Ok(self.load_prekeys(&[id]).await?.pop().map(|(_, record)| record))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> StoreResult<Vec<(u32, Bytes)>> {
        self.load_prekeys(ids).await
    }

    /// Nothing asks whether a key was uploaded; what matters is that a consumed key does not come back.
    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> StoreResult<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> StoreResult<()> {
        self.take_prekey(id).await
    }

    async fn get_max_prekey_id(&self) -> StoreResult<u32> {
        let highest = self.records.highest(Space::PreKey).await?;
        Ok(highest.and_then(|(_, number)| u32::try_from(number).ok()).unwrap_or(0))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> StoreResult<()> {
        self.records.put([numbered(Space::SignedPreKey, id, record)]).await
    }

    async fn load_signed_prekey(&self, id: u32) -> StoreResult<Option<Vec<u8>>> {
        self.records.get(Space::SignedPreKey, &id.to_be_bytes()).await
    }

    async fn load_all_signed_prekeys(&self) -> StoreResult<Vec<(u32, Vec<u8>)>> {
        let found = self.records.list(Space::SignedPreKey, &[]).await?;
        found
            .into_iter()
            .map(|(key, record)| Ok((read_id(&key)?, record)))
            .collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> StoreResult<()> {
        self.records
            .delete(Space::SignedPreKey, [id.to_be_bytes().to_vec()])
            .await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> StoreResult<()> {
        self.records.put([Plain::new(Space::SenderKey, address, record)]).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> StoreResult<()> {
        self.records
            .put(
                sender_keys
                    .iter()
                    .map(|(address, record)| entry(Space::SenderKey, address, record)),
            )
            .await
    }

    async fn get_sender_key(&self, address: &str) -> StoreResult<Option<Vec<u8>>> {
        self.records.get(Space::SenderKey, address.as_bytes()).await
    }

    async fn delete_sender_key(&self, address: &str) -> StoreResult<()> {
        self.records.delete(Space::SenderKey, [address.into()]).await
    }
}

fn entry(space: Space, address: &str, record: &[u8]) -> Plain {
    Plain::new(space, address, record)
}

/// Keys of ids sort like the ids.
fn numbered(space: Space, id: u32, record: &[u8]) -> Plain {
    Plain::new(space, id.to_be_bytes(), record).numbered(i64::from(id))
}

pub(super) fn read_id(key: &[u8]) -> StoreResult<u32> {
    key.try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| StoreError::Validation("an id has 4 bytes".into()))
}
