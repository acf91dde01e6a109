//! Privacy tokens of contacts: one is looked up for every message, so the last ones stay in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Space, Storage, StoreResult, TcTokenEntry, decode, encode, records::Plain};

/// Contacts whose token is kept in memory, or that are known to have none.
const CACHED: usize = 512;

/// What is known of a contact: its token, or that it has none.
#[derive(Clone)]
struct Known(Option<TcTokenEntry>);

#[derive(Default)]
pub(super) struct TokenCache {
    entries: Mutex<HashMap<String, Known>>,
    /// Held over a read and the write that follows from it.
    changing: tokio::sync::Mutex<()>,
}

impl TokenCache {
    fn get(&self, jid: &str) -> Option<Known> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(jid)
            .cloned()
    }

    fn set(&self, jid: &str, entry: Option<TcTokenEntry>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CACHED && !entries.contains_key(jid) {
            entries.clear();
        }
        entries.insert(jid.to_owned(), Known(entry));
    }

    fn forget(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Storage {
    pub(super) async fn find_token(&self, jid: &str) -> StoreResult<Option<TcTokenEntry>> {
        if let Some(Known(known)) = self.tokens.get(jid) {
            return Ok(known);
        }
        let stored = self.records.get(Space::Token, jid.as_bytes()).await?;
        let entry: Option<TcTokenEntry> = stored.map(|stored| decode(&stored)).transpose()?;
        self.tokens.set(jid, entry.clone());
        Ok(entry)
    }

    pub(super) async fn put_token(&self, jid: &str, entry: TcTokenEntry) -> StoreResult<()> {
        self.records
            .put_behind([Plain::new(Space::Token, jid, encode(&entry)?)])
            .await?;
        self.tokens.set(jid, Some(entry));
        Ok(())
    }

    pub(super) async fn delete_token(&self, jid: &str) -> StoreResult<()> {
        self.records.delete_behind(Space::Token, [jid.into()]).await?;
        self.tokens.set(jid, None);
        Ok(())
    }

    /// Changes a token so that no other change comes between reading and writing it.
    pub(super) async fn change_token(
        &self,
        jid: &str,
        change: impl FnOnce(Option<TcTokenEntry>) -> Option<TcTokenEntry> + Send,
    ) -> StoreResult<()> {
        let _changing = self.tokens.changing.lock().await;
        let existing = self.find_token(jid).await?;
        match change(existing) {
            Some(changed) => self.put_token(jid, changed).await,
            None => Ok(()),
        }
    }

    pub(super) async fn delete_tokens(&self, dead: impl Fn(&TcTokenEntry) -> bool + Send) -> StoreResult<u64> {
        let _changing = self.tokens.changing.lock().await;
        let mut keys = Vec::new();
        for (key, value) in self.records.list(Space::Token, &[]).await? {
            if dead(&decode(&value)?) {
                keys.push(key);
            }
        }
        let deleted = keys.len() as u64;
        if deleted > 0 {
            self.records.delete(Space::Token, keys).await?;
            self.tokens.forget();
        }
        Ok(deleted)
    }
}
