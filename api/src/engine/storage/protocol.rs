//! What the protocol remembers: who has our group keys, LID and phone pairs, devices of others, groups, messages sent and
//! messages received that are not committed yet.
//!
//! **Invariant:** what WhatsApp tells again when asked is written behind. A received message is durable no later than the
//! Signal state that has moved past it.

use async_trait::async_trait;
use wacore::store::{
    error::StoreError,
    traits::{DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry},
};

use super::{Space, Storage, StoreResult, count, decode, encode, key, key_prefix, last_part, records::Plain};
use crate::engine::originals::compose;

#[async_trait]
impl ProtocolStore for Storage {
    async fn get_sender_key_devices(&self, group_jid: &str) -> StoreResult<Vec<(String, bool)>> {
        let found = self
            .records
            .list(Space::SenderKeyDevice, &key_prefix(group_jid))
            .await?;
        Ok(found
            .into_iter()
            .map(|(key, value)| (last_part(&key), value == [1]))
            .collect())
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> StoreResult<()> {
        self.records
            .put(entries.iter().map(|(device, has_key)| {
                Plain::new(Space::SenderKeyDevice, key(&[group_jid, device]), [u8::from(*has_key)])
            }))
            .await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> StoreResult<()> {
        self.records
            .delete_prefix(Space::SenderKeyDevice, key_prefix(group_jid))
            .await
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> StoreResult<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let all = self.records.list(Space::SenderKeyDevice, &[]).await?;
        let keys: Vec<_> = all
            .into_iter()
            .map(|(key, _)| key)
            .filter(|key| device_jids.contains(&last_part(key).as_str()))
            .collect();
        self.records.delete(Space::SenderKeyDevice, keys).await
    }

    async fn clear_all_sender_key_devices(&self) -> StoreResult<()> {
        self.records.delete_prefix(Space::SenderKeyDevice, Vec::new()).await
    }

    async fn get_lid_mapping(&self, lid: &str) -> StoreResult<Option<LidPnMappingEntry>> {
        self.records
            .get(Space::LidMapping, lid.as_bytes())
            .await?
            .map(|stored| decode(&stored))
            .transpose()
    }

    async fn get_pn_mapping(&self, phone: &str) -> StoreResult<Option<LidPnMappingEntry>> {
        let Some(lid) = self.records.get(Space::PhoneMapping, phone.as_bytes()).await? else {
            return Ok(None);
        };
        let stored = self.records.get(Space::LidMapping, &lid).await?;
        stored.map(|stored| decode(&stored)).transpose()
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> StoreResult<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> StoreResult<()> {
        let lids: Vec<_> = entries.iter().map(|entry| entry.lid.clone().into_bytes()).collect();
        let mut stale = Vec::new();
        for (_, stored) in self.records.get_many(Space::LidMapping, &lids).await? {
            let older: LidPnMappingEntry = decode(&stored)?;
            if entries
                .iter()
                .any(|entry| entry.lid == older.lid && entry.phone_number != older.phone_number)
            {
                stale.push(older.phone_number.into_bytes());
            }
        }
        if !stale.is_empty() {
            self.records.delete_behind(Space::PhoneMapping, stale).await?;
        }
        let mut records = Vec::with_capacity(entries.len() * 2);
        for entry in entries {
            records.push(Plain::new(Space::LidMapping, entry.lid.as_str(), encode(entry)?));
            records.push(Plain::new(
                Space::PhoneMapping,
                entry.phone_number.as_str(),
                entry.lid.as_str(),
            ));
        }
        self.records.put_behind(records).await
    }

    async fn get_all_lid_mappings(&self) -> StoreResult<Vec<LidPnMappingEntry>> {
        let found = self.records.list(Space::LidMapping, &[]).await?;
        found.into_iter().map(|(_, stored)| decode(&stored)).collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> StoreResult<()> {
        self.records
            .put([Plain::new(Space::BaseKey, key(&[address, message_id]), base_key)])
            .await
    }

    async fn has_same_base_key(&self, address: &str, message_id: &str, current_base_key: &[u8]) -> StoreResult<bool> {
        let stored = self.records.get(Space::BaseKey, &key(&[address, message_id])).await?;
        Ok(stored.is_some_and(|stored| stored == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> StoreResult<()> {
        self.records.delete(Space::BaseKey, [key(&[address, message_id])]).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> StoreResult<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> StoreResult<()> {
        let records = records
            .iter()
            .map(|record| Ok(Plain::new(Space::DeviceList, record.user.as_str(), encode(record)?)))
            .collect::<StoreResult<Vec<_>>>()?;
        self.records.put_behind(records).await
    }

    async fn get_devices(&self, user: &str) -> StoreResult<Option<DeviceListRecord>> {
        self.records
            .get(Space::DeviceList, user.as_bytes())
            .await?
            .map(|stored| decode(&stored))
            .transpose()
    }

    async fn delete_devices(&self, user: &str) -> StoreResult<()> {
        self.records.delete_behind(Space::DeviceList, [user.into()]).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> StoreResult<Option<Vec<u8>>> {
        self.records.get(Space::GroupMetadata, group_jid.as_bytes()).await
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> StoreResult<()> {
        self.records
            .put_behind([Plain::new(Space::GroupMetadata, group_jid, blob)])
            .await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> StoreResult<()> {
        self.records.delete(Space::GroupMetadata, [group_jid.into()]).await
    }

    async fn get_tc_token(&self, jid: &str) -> StoreResult<Option<TcTokenEntry>> {
        self.find_token(jid).await
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> StoreResult<()> {
        self.put_token(jid, entry.clone()).await
    }

    async fn delete_tc_token(&self, jid: &str) -> StoreResult<()> {
        self.delete_token(jid).await
    }

    async fn get_all_tc_token_jids(&self) -> StoreResult<Vec<String>> {
        let found = self.records.list(Space::Token, &[]).await?;
        Ok(found
            .into_iter()
            .map(|(key, _)| String::from_utf8_lossy(&key).into_owned())
            .collect())
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> StoreResult<u32> {
        self.delete_tokens(|entry| {
            let token_lives = !entry.token.is_empty() && entry.token_timestamp >= token_cutoff;
            let sender_lives = entry.sender_timestamp.is_some_and(|at| at >= sender_cutoff);
            !token_lives && !sender_lives
        })
        .await
        .map(count)
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> StoreResult<()> {
        self.change_token(jid, |existing| {
            let mut entry = existing.unwrap_or(TcTokenEntry {
                token: Vec::new(),
                token_timestamp: sender_timestamp,
                sender_timestamp: None,
            });
            let latest = entry
                .sender_timestamp
                .map_or(sender_timestamp, |at| at.max(sender_timestamp));
            entry.sender_timestamp = Some(latest);
            Some(entry)
        })
        .await
    }

    async fn store_received_tc_token(&self, jid: &str, token: &[u8], token_timestamp: i64) -> StoreResult<()> {
        self.change_token(jid, |existing| {
            let newer = existing
                .as_ref()
                .is_none_or(|entry| entry.token.is_empty() || token_timestamp >= entry.token_timestamp);
            newer.then(|| TcTokenEntry {
                token: token.to_vec(),
                token_timestamp,
                sender_timestamp: existing.and_then(|entry| entry.sender_timestamp),
            })
        })
        .await
    }

    /// Only what did not come from the outbox is kept: the outbox is asked for the rest, see [`Storage::take_sent_message`].
    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> StoreResult<()> {
        let secret = self.secrets.of(message_id);
        // Nobody else makes messages with the secret that is derived from their id.
        if secret.is_some_and(|secret| payload.windows(secret.len()).any(|part| part == secret)) {
            return Ok(());
        }
        let sent = Plain::new(Space::SentMessage, key(&[chat_jid, message_id]), payload).numbered(self.records.now());
        self.records.put_behind([sent]).await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> StoreResult<Option<Vec<u8>>> {
        let key = key(&[chat_jid, message_id]);
        if let Some(stored) = self.records.get(Space::SentMessage, &key).await? {
            self.records.delete_behind(Space::SentMessage, [key]).await?;
            return Ok(Some(stored));
        }
        let original = self
            .originals
            .original(self.records.device(), self.records.fence(), chat_jid, message_id)
            .await
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok(original.map(|content| {
            let message = compose(content, self.secrets.of(message_id));
            waproto::codec::message_to_vec(&message)
        }))
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.records
            .delete_below(Space::SentMessage, cutoff_timestamp)
            .await
            .map(count)
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> StoreResult<()> {
        self.store_pending_inbound_batch(&[PendingInboundRow {
            chat,
            sender,
            id,
            message,
        }])
        .await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> StoreResult<Option<Vec<u8>>> {
        self.records.get(Space::PendingInbound, &key(&[chat, sender, id])).await
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> StoreResult<()> {
        self.delete_pending_inbound_batch(&[PendingInboundKey { chat, sender, id }])
            .await
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.records
            .delete_below(Space::PendingInbound, cutoff_timestamp)
            .await
            .map(count)
    }

    /// Written behind: Signal's state follows through the same writer, so it is never durable without these copies, and
    /// WhatsApp is told that a message arrived only when the inbox has it.
    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> StoreResult<()> {
        let now = self.records.now();
        self.records
            .put_behind(rows.iter().map(|row| {
                Plain::new(Space::PendingInbound, key(&[row.chat, row.sender, row.id]), row.message).numbered(now)
            }))
            .await
    }

    /// Written behind: a copy that stays is only delivered once more, and the inbox knows it.
    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> StoreResult<()> {
        self.records
            .delete_behind(
                Space::PendingInbound,
                keys.iter().map(|row| key(&[row.chat, row.sender, row.id])),
            )
            .await
    }
}
