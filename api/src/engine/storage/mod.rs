//! What a linked device must remember, in the one database: credentials, Signal state, keys and caches of WhatsApp's
//! protocol, all in the table `engine_record`.
//!
//! The files of this folder implement whatsapp-rust's storage traits over [`Records`]: `signal` and `prekeys` (identities,
//! sessions, keys), `app_sync`, `protocol` and `tokens` (what is remembered about others), `credentials` and `secrets`.
//!
//! **Invariant:** a write whose loss could break encryption or lose a message is durable when its call returns. Only
//! what can be learnt again is written behind. What the outbox has anyway is not written at all.
//!
//! **Invariant:** every value is sealed for its device, space and key; what the database's reader sees are addresses and
//! sizes.

mod app_sync;
mod credentials;
mod prekeys;
mod protocol;
mod reader;
mod records;
mod resealing;
mod reservations;
mod secrets;
mod signal;
mod space;
mod tokens;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use wacore::store::{error::StoreError, traits::TcTokenEntry};

pub(super) use reader::Reader;
pub(super) use records::Records;
pub use resealing::reseal;
pub(super) use writer::Writer;

use reservations::Reservations;
use space::Space;
use tokens::TokenCache;

use super::originals::{Originals, Secrets};

type StoreResult<T> = Result<T, StoreError>;

/// One device's storage, as whatsapp-rust wants it.
pub(super) struct Storage {
    records: Records,
    originals: Arc<dyn Originals>,
    secrets: Secrets,
    tokens: TokenCache,
    reservations: Reservations,
    saved: std::sync::Mutex<Option<[u8; 32]>>,
    /// Held over the reading of a block of one-time keys and the write that follows from it.
    prekeys_changing: tokio::sync::Mutex<()>,
}

impl Storage {
    pub(super) fn new(records: Records, originals: Arc<dyn Originals>, secrets: Secrets) -> Self {
        Self {
            records,
            originals,
            secrets,
            tokens: TokenCache::default(),
            reservations: Reservations::default(),
            saved: std::sync::Mutex::default(),
            prekeys_changing: tokio::sync::Mutex::default(),
        }
    }
}

/// Joins the parts of a key. Addresses, ids and names hold no zero byte.
fn key(parts: &[&str]) -> Vec<u8> {
    parts.join("\0").into_bytes()
}

/// What every key begins with whose first part is `part`.
fn key_prefix(part: &str) -> Vec<u8> {
    let mut prefix = part.as_bytes().to_vec();
    prefix.push(0);
    prefix
}

/// The text after the first zero byte of a key.
fn last_part(key: &[u8]) -> String {
    let start = key
        .iter()
        .rposition(|byte| *byte == 0)
        .map_or(0, |position| position + 1);
    String::from_utf8_lossy(&key[start..]).into_owned()
}

fn encode<T: serde::Serialize>(value: &T) -> StoreResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| StoreError::Serialization(Box::new(error)))
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> StoreResult<T> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Serialization(Box::new(error)))
}

/// How many rows something touched, in the number type that the traits ask for.
fn count(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
