//! WhatsApp's app state (settings, mutes, labels that the phone shares): keys, versions and checksums.
//!
//! Checksums and versions are written behind: the writer keeps their order, so after a crash both are of the same moment
//! or the checksums are a step ahead, as when they were written one by one.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore::{
    appstate::hash::HashState,
    store::traits::{AppStateSyncKey, AppSyncStore},
};
use wacore_appstate::processor::AppStateMutationMAC;

use super::{Space, Storage, StoreResult, decode, encode, key_prefix, records::Plain};

#[async_trait]
impl AppSyncStore for Storage {
    async fn get_sync_key(&self, key_id: &[u8]) -> StoreResult<Option<AppStateSyncKey>> {
        self.records
            .get(Space::SyncKey, key_id)
            .await?
            .map(|stored| decode(&stored))
            .transpose()
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> StoreResult<()> {
        let arrived = self.records.now_micros();
        self.records
            .put([Plain::new(Space::SyncKey, key_id, encode(&key)?).numbered(arrived)])
            .await
    }

    async fn get_version(&self, name: &str) -> StoreResult<HashState> {
        let stored = self.records.get(Space::SyncVersion, name.as_bytes()).await?;
        stored.map_or_else(|| Ok(HashState::default()), |stored| decode(&stored))
    }

    async fn set_version(&self, name: &str, state: HashState) -> StoreResult<()> {
        self.records
            .put_behind([Plain::new(Space::SyncVersion, name, encode(&state)?)])
            .await
    }

    async fn put_mutation_macs(&self, name: &str, _version: u64, mutations: &[AppStateMutationMAC]) -> StoreResult<()> {
        self.records
            .put_behind(mutations.iter().map(|mac| {
                Plain::new(
                    Space::MutationMac,
                    mac_key(name, &mac.index_mac),
                    mac.value_mac.as_slice(),
                )
            }))
            .await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        self.records.get(Space::MutationMac, &mac_key(name, index_mac)).await
    }

    async fn get_mutation_macs(&self, name: &str, index_macs: &[[u8; 32]]) -> StoreResult<HashMap<[u8; 32], Vec<u8>>> {
        let keys: Vec<_> = index_macs.iter().map(|index| mac_key(name, index)).collect();
        let start = name.len() + 1;
        let found = self.records.get_many(Space::MutationMac, &keys).await?;
        Ok(found
            .into_iter()
            .filter_map(|(key, mac)| Some((key.get(start..)?.try_into().ok()?, mac)))
            .collect())
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> StoreResult<()> {
        self.records
            .delete_behind(Space::MutationMac, index_macs.iter().map(|index| mac_key(name, index)))
            .await
    }

    async fn clear_mutation_macs(&self, name: &str) -> StoreResult<()> {
        self.records.delete_prefix(Space::MutationMac, key_prefix(name)).await
    }

    async fn get_latest_sync_key_id(&self) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.records.highest(Space::SyncKey).await?.map(|(key, _)| key))
    }
}

fn mac_key(name: &str, index_mac: &[u8]) -> Vec<u8> {
    let mut key = key_prefix(name);
    key.extend_from_slice(index_mac);
    key
}
