//! The device's own credentials: one record.
//!
//! **Invariant:** they are only replaced by newer ones of the same device, and removed by a confirmed logout or a wipe.
//! No connection attempt, successful or not, removes them.

use std::sync::PoisonError;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use wacore::store::{Device, traits::DeviceStore};

use super::{Space, Storage, StoreResult, decode, encode, records::Plain};

const KEY: &[u8] = b"device";

#[async_trait]
impl DeviceStore for Storage {
    async fn save(&self, device: &Device) -> StoreResult<()> {
        let encoded = encode(device)?;
        let digest = Some(Sha256::digest(&encoded).into());
        // The library saves after whatever may have changed something, several times per connection.
        if digest == *self.saved() {
            return Ok(());
        }
        self.records
            .put_behind([Plain::new(Space::Credentials, KEY, encoded)])
            .await?;
        *self.saved() = digest;
        Ok(())
    }

    async fn load(&self) -> StoreResult<Option<Device>> {
        let Some(stored) = self.records.get(Space::Credentials, KEY).await? else {
            return Ok(None);
        };
        *self.saved() = Some(Sha256::digest(&stored).into());
        decode(&stored).map(Some)
    }

    async fn exists(&self) -> StoreResult<bool> {
        // The row is the domain's; credentials come with the first save.
        Ok(true)
    }

    async fn create(&self) -> StoreResult<i32> {
        Ok(1)
    }
}

impl Storage {
    /// The digest of the credentials that were stored last.
    fn saved(&self) -> std::sync::MutexGuard<'_, Option<[u8; 32]>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
