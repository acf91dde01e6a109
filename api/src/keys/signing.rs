//! The keys that sign and check access tokens, as they are now.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// A key for access tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// The `kid` in the header of its tokens: it says which key, and nothing of the key.
    pub id: String,
    /// 256 bits.
    pub secret: [u8; 32],
    /// From when on it signs.
    pub active_at: DateTime<Utc>,
    /// From when on its tokens are refused.
    pub retired_at: Option<DateTime<Utc>>,
}

impl SigningKey {
    /// A key that has signed for ever and goes on.
    pub fn lasting(secret: [u8; 32]) -> Self {
        Self::new(secret, DateTime::<Utc>::MIN_UTC, None)
    }

    /// A key for a time.
    pub fn new(secret: [u8; 32], active_at: DateTime<Utc>, retired_at: Option<DateTime<Utc>>) -> Self {
        Self {
            id: URL_SAFE_NO_PAD.encode(&Sha256::digest(secret)[..6]),
            secret,
            active_at,
            retired_at,
        }
    }
}

impl fmt::Debug for SigningKey {
    /// Shows which key it is, never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Every key that signs or checks, the newest last. Cheap to clone; all clones change together.
#[derive(Clone, Debug, Default)]
pub struct SigningKeys(Arc<RwLock<Arc<Vec<SigningKey>>>>);

impl SigningKeys {
    /// These keys, the newest last.
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(keys))))
    }

    /// Puts others in their place.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The key that signs now: the newest that every node knows.
    pub fn signer(&self, now: DateTime<Utc>) -> Option<SigningKey> {
        let keys = self.all();
        let active = keys.iter().rev().find(|key| key.active_at <= now);
        active.or_else(|| keys.first()).cloned()
    }

    /// A key that may check now.
    pub fn checker(&self, id: &str, now: DateTime<Utc>) -> Option<SigningKey> {
        let keys = self.all();
        let lasts = |key: &&SigningKey| key.id == id && key.retired_at.is_none_or(|end| now < end);
        keys.iter().find(lasts).cloned()
    }

    fn all(&self) -> Arc<Vec<SigningKey>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_active_key_signs_and_older_ones_check_until_they_retire() {
        let at = |second: i64| DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a moment");
        let old = SigningKey::new([1; 32], at(0), Some(at(20)));
        let new = SigningKey::new([2; 32], at(10), None);
        let keys = SigningKeys::new(vec![old.clone(), new.clone()]);
        let signer = |now| keys.signer(now).map(|key| key.id);
        assert_eq!(signer(at(9)), Some(old.id.clone()));
        assert_eq!(signer(at(10)), Some(new.id.clone()));
        assert!(keys.checker(&new.id, at(0)).is_some(), "known before it is used");
        assert!(keys.checker(&old.id, at(19)).is_some());
        assert!(keys.checker(&old.id, at(20)).is_none());
        assert!(!format!("{old:?}").contains('['));
    }
}
