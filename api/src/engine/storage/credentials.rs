//! The device's own credentials: one record.
//!
//! **Invariant:** they are only replaced by newer ones of the same device, and removed by a confirmed logout or a wipe.
//! No connection attempt, successful or not, removes them.

use async_trait::async_trait;
use wacore::store::{Device, traits::DeviceStore};

use super::{Space, Storage, StoreResult, decode, encode, records::Plain};

const KEY: &[u8] = b"device";

#[async_trait]
impl DeviceStore for Storage {
    async fn save(&self, device: &Device) -> StoreResult<()> {
        self.records
            .put_behind([Plain::new(Space::Credentials, KEY, encode(device)?)])
            .await
    }

    async fn load(&self) -> StoreResult<Option<Device>> {
        self.records
            .get(Space::Credentials, KEY)
            .await?
            .map(|stored| decode(&stored))
            .transpose()
    }

    async fn exists(&self) -> StoreResult<bool> {
        // The row is the domain's; credentials come with the first save.
        Ok(true)
    }

    async fn create(&self) -> StoreResult<i32> {
        Ok(1)
    }
}
