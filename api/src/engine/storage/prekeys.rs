//! One-time keys, in blocks of consecutive ids: a login reads all of them and a pairing writes them, so one record each
//! would be most of the work of both. Taking one key out rewrites its block.
//!
//! A block's key is its number (id / 64), its value a run of `id (4 bytes) ‖ length (2) ‖ record`, its record number the
//! highest id in it.

use std::collections::BTreeMap;

use bytes::Bytes;
use wacore::store::error::StoreError;

use super::{Space, Storage, StoreResult, records::Plain};

const BLOCK: u32 = 64;

type Keys = BTreeMap<u32, Bytes>;

impl Storage {
    pub(super) async fn put_prekeys(&self, keys: impl IntoIterator<Item = (u32, Bytes)> + Send) -> StoreResult<()> {
        let _changing = self.prekeys_changing.lock().await;
        let mut blocks: BTreeMap<u32, Keys> = BTreeMap::new();
        for (id, record) in keys {
            blocks.entry(id / BLOCK).or_default().insert(id, record);
        }
        for (block, older) in self.load_blocks(blocks.keys().copied()).await? {
            let block = blocks.entry(block).or_default();
            for (id, record) in older {
                block.entry(id).or_insert(record);
            }
        }
        let records = blocks
            .iter()
            .map(|(block, keys)| encode(*block, keys))
            .collect::<StoreResult<Vec<_>>>()?;
        self.records.put(records).await
    }

    pub(super) async fn load_prekeys(&self, ids: &[u32]) -> StoreResult<Vec<(u32, Bytes)>> {
        let mut wanted: Vec<u32> = ids.iter().map(|id| id / BLOCK).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut blocks: BTreeMap<u32, Keys> = self.load_blocks(wanted).await?.into_iter().collect();
        Ok(ids
            .iter()
            .filter_map(|id| Some((*id, blocks.get_mut(&(id / BLOCK))?.remove(id)?)))
            .collect())
    }

    pub(super) async fn take_prekey(&self, id: u32) -> StoreResult<()> {
        let _changing = self.prekeys_changing.lock().await;
        for (block, mut keys) in self.load_blocks([id / BLOCK]).await? {
            if keys.remove(&id).is_none() {
                continue;
            }
            if keys.is_empty() {
                self.records
                    .delete(Space::PreKey, [block.to_be_bytes().to_vec()])
                    .await?;
            } else {
                self.records.put([encode(block, &keys)?]).await?;
            }
        }
        Ok(())
    }

    async fn load_blocks(&self, blocks: impl IntoIterator<Item = u32> + Send) -> StoreResult<Vec<(u32, Keys)>> {
        let keys: Vec<_> = blocks.into_iter().map(|block| block.to_be_bytes().to_vec()).collect();
        let found = self.records.get_many(Space::PreKey, &keys).await?;
        found
            .into_iter()
            .map(|(key, value)| Ok((super::signal::read_id(&key)?, decode(value)?)))
            .collect()
    }
}

fn encode(block: u32, keys: &Keys) -> StoreResult<Plain> {
    let mut value = Vec::with_capacity(keys.values().map(|record| record.len() + 6).sum());
    for (id, record) in keys {
        let length = u16::try_from(record.len()).map_err(|_| invalid())?;
        value.extend_from_slice(&id.to_be_bytes());
        value.extend_from_slice(&length.to_be_bytes());
        value.extend_from_slice(record);
    }
    let highest = keys.keys().next_back().copied().unwrap_or_default();
    Ok(Plain::new(Space::PreKey, block.to_be_bytes(), value).numbered(i64::from(highest)))
}

fn decode(value: Vec<u8>) -> StoreResult<Keys> {
    let mut rest = Bytes::from(value);
    let mut keys = Keys::new();
    while !rest.is_empty() {
        let (id, tail) = rest.split_first_chunk::<4>().ok_or_else(invalid)?;
        let (length, tail) = tail.split_first_chunk::<2>().ok_or_else(invalid)?;
        let (id, length) = (u32::from_be_bytes(*id), usize::from(u16::from_be_bytes(*length)));
        if tail.len() < length {
            return Err(invalid());
        }
        let _ = rest.split_to(6);
        keys.insert(id, rest.split_to(length));
    }
    Ok(keys)
}

fn invalid() -> StoreError {
    StoreError::Validation("a block of one-time keys is damaged".into())
}
