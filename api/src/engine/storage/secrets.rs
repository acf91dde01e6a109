//! Secrets of messages, by which edits, votes and reactions that come later are read. Those of messages that this device
//! sent are derived, see [`Secrets`](crate::engine::originals::Secrets).

use async_trait::async_trait;
use wacore::store::{
    error::StoreError,
    traits::{
        DeviceStore, MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry,
        merge_msg_secret_message_ts,
    },
};

use super::{Space, Storage, StoreResult, count, key, records::Plain};

/// The secret, when its message was written and when it expires, both in unix seconds (0: unknown, never).
struct Stored {
    secret: MessageSecret,
    message_ts: i64,
    expires_at: i64,
}

impl Stored {
    fn read(bytes: &[u8]) -> StoreResult<Self> {
        let invalid = || StoreError::Validation("a stored message secret has 48 bytes".into());
        let (secret, rest) = bytes.split_first_chunk::<32>().ok_or_else(invalid)?;
        let (message_ts, rest) = rest.split_first_chunk::<8>().ok_or_else(invalid)?;
        let expires_at = rest.first_chunk::<8>().ok_or_else(invalid)?;
        Ok(Self {
            secret: *secret,
            message_ts: i64::from_be_bytes(*message_ts),
            expires_at: i64::from_be_bytes(*expires_at),
        })
    }

    fn record(&self, key: Vec<u8>) -> Plain {
        let mut value = Vec::with_capacity(48);
        value.extend_from_slice(&self.secret);
        value.extend_from_slice(&self.message_ts.to_be_bytes());
        value.extend_from_slice(&self.expires_at.to_be_bytes());
        let expires_at = (self.expires_at != 0).then_some(self.expires_at);
        Plain {
            space: Space::MessageSecret,
            key,
            value,
            number: expires_at,
            expires_at,
        }
    }
}

impl Storage {
    /// Whether an address is the account's own.
    async fn is_own(&self, address: &str) -> StoreResult<bool> {
        let user = address.split(['@', ':']).next().unwrap_or_default();
        let device = DeviceStore::load(self).await?;
        let own = device.into_iter().flat_map(|device| [device.pn, device.lid]).flatten();
        Ok(own.into_iter().any(|own| own.user == user))
    }
}

#[async_trait]
impl MsgSecretStore for Storage {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> StoreResult<usize> {
        let stored = entries.len();
        let entries: Vec<_> = entries
            .into_iter()
            .filter(|entry| self.secrets.of(&entry.msg_id) != Some(entry.secret))
            .collect();
        if entries.is_empty() {
            return Ok(stored);
        }
        let mut records = std::collections::HashMap::with_capacity(entries.len());
        let keys: Vec<_> = entries
            .iter()
            .map(|entry| key(&[&entry.chat, &entry.sender, &entry.msg_id]))
            .collect();
        for (key, value) in self.records.get_many(Space::MessageSecret, &keys).await? {
            records.insert(key, Stored::read(&value)?);
        }
        for (key, entry) in keys.into_iter().zip(entries) {
            let merged = match records.get(&key) {
                Some(older) => Stored {
                    secret: entry.secret,
                    message_ts: merge_msg_secret_message_ts(older.message_ts, entry.message_ts),
                    expires_at: merge_msg_secret_expiry(older.expires_at, entry.expires_at),
                },
                None => Stored {
                    secret: entry.secret,
                    message_ts: entry.message_ts,
                    expires_at: entry.expires_at,
                },
            };
            records.insert(key, merged);
        }
        self.records
            .put_behind(records.into_iter().map(|(key, secret)| secret.record(key)))
            .await?;
        Ok(stored)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .get_msg_secret_with_ts(chat, sender, msg_id)
            .await?
            .map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> StoreResult<Option<(Vec<u8>, i64)>> {
        let stored = self
            .records
            .get(Space::MessageSecret, &key(&[chat, sender, msg_id]))
            .await?;
        if let Some(value) = stored {
            let stored = Stored::read(&value)?;
            return Ok(Some((stored.secret.to_vec(), stored.message_ts)));
        }
        // When it was sent is not known here: 0, as the trait has it.
        let derived = self.is_own(sender).await?.then(|| self.secrets.of(msg_id)).flatten();
        Ok(derived.map(|secret| (secret.to_vec(), 0)))
    }

    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.records
            .delete_below(Space::MessageSecret, cutoff_timestamp.saturating_add(1))
            .await
            .map(count)
    }
}
