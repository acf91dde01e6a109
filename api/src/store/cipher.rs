//! Encryption of what the database must not show: AES-256-GCM under a key from the configuration.
//!
//! A sealed value is `key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag`. The key id makes rotation possible: values are
//! sealed under the newest key and opened under the one they name.
//!
//! **Invariant:** a sealed value opens only in the place it was sealed for. The place is part of what the tag covers, so
//! a value that is copied to another device, table or key does not open.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit},
};
use rand::RngExt;

const NONCE: usize = 12;
const HEADER: usize = 1 + NONCE;

/// A value can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// It is shorter than any sealed value.
    #[error("the sealed value is cut short")]
    Truncated,
    /// It was sealed under a key that the configuration does not have.
    #[error("sealed under key {0}, which is not configured")]
    UnknownKey(u8),
    /// It was changed, moved to another place, or sealed under another key of the same id.
    #[error("the sealed value was changed or belongs elsewhere")]
    Forged,
    /// There is no key.
    #[error("no encryption key is configured")]
    NoKey,
}

/// Seals and opens. Cheap to clone; all clones change together when keys are rotated.
#[derive(Clone)]
pub struct Cipher(Arc<RwLock<Arc<Ring>>>);

struct Ring {
    keys: HashMap<u8, Aes256Gcm>,
    newest: u8,
}

impl Cipher {
    /// From key ids and keys. The highest id seals; the others only open.
    pub fn new(keys: impl IntoIterator<Item = (u8, [u8; 32])>) -> Result<Self, CipherError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let newest = keys.iter().map(|(id, _)| *id).max().ok_or(CipherError::NoKey)?;
        let ring = Ring::new(keys, newest)?;
        Ok(Self(Arc::new(RwLock::new(Arc::new(ring)))))
    }

    /// Goes on with other keys: `newest` seals, the others only open.
    pub fn replace(&self, keys: impl IntoIterator<Item = (u8, [u8; 32])>, newest: u8) -> Result<(), CipherError> {
        let ring = Ring::new(keys, newest)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// The number of the key that seals.
    pub fn newest(&self) -> u8 {
        self.ring().newest
    }

    /// Opens a value and seals it anew, under the newest key.
    pub fn reseal(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.seal(place, &self.open(place, sealed)?)
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Encrypts `plain` for a place.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let ring = self.ring();
        let key = ring.keys.get(&ring.newest).ok_or(CipherError::NoKey)?;
        let nonce: [u8; NONCE] = rand::rng().random();
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.push(ring.newest);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .encrypt_inout_detached(&Nonce::from(nonce), place, (&mut sealed[HEADER..]).into())
            .map_err(|_| CipherError::Forged)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts what was sealed for the same place.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (id, rest) = sealed.split_first().ok_or(CipherError::Truncated)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(CipherError::Truncated)?;
        let (body, tag) = body.split_last_chunk::<16>().ok_or(CipherError::Truncated)?;
        let ring = self.ring();
        let key = ring.keys.get(id).ok_or(CipherError::UnknownKey(*id))?;
        let mut plain = body.to_vec();
        key.decrypt_inout_detached(&Nonce::from(*nonce), place, plain.as_mut_slice().into(), &(*tag).into())
            .map_err(|_| CipherError::Forged)?;
        Ok(plain)
    }
}

impl Ring {
    fn new(keys: impl IntoIterator<Item = (u8, [u8; 32])>, newest: u8) -> Result<Self, CipherError> {
        let keys: HashMap<u8, Aes256Gcm> = keys
            .into_iter()
            .map(|(id, key)| (id, Aes256Gcm::new(&key.into())))
            .collect();
        if keys.contains_key(&newest) {
            Ok(Self { keys, newest })
        } else {
            Err(CipherError::NoKey)
        }
    }
}

impl fmt::Debug for Cipher {
    /// Shows which keys there are, never a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher")
            .field("newest", &self.newest())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_unchanged() {
        let cipher = Cipher::new([(1, [7; 32])]).expect("a key");
        let sealed = cipher.seal(b"place", b"secret").expect("sealed");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(cipher.open(b"place", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(cipher.open(b"elsewhere", &sealed), Err(CipherError::Forged));
        for position in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(cipher.open(b"place", &changed), Err(CipherError::Forged));
            assert!(cipher.open(b"place", &sealed[..position]).is_err());
        }
        assert_ne!(
            sealed,
            cipher.seal(b"place", b"secret").expect("sealed"),
            "nonces differ"
        );
    }

    #[test]
    fn after_a_rotation_old_values_open_and_new_ones_use_the_new_key() {
        let old = Cipher::new([(1, [7; 32])]).expect("a key");
        let both = Cipher::new([(1, [7; 32]), (2, [8; 32])]).expect("keys");
        let sealed = old.seal(b"", b"before").expect("sealed");
        assert_eq!(both.open(b"", &sealed), Ok(b"before".to_vec()));
        let sealed = both.seal(b"", b"after").expect("sealed");
        assert_eq!(old.open(b"", &sealed), Err(CipherError::UnknownKey(2)));
        assert!(Cipher::new([]).is_err());
        let clone = old.clone();
        old.replace([(1, [7; 32]), (2, [8; 32])], 1).expect("keys");
        assert_eq!(clone.open(b"", &sealed), Ok(b"after".to_vec()), "known before it seals");
        assert_eq!(clone.newest(), 1);
        old.replace([(1, [7; 32]), (2, [8; 32])], 2).expect("keys");
        let before = both.seal(b"", b"x").expect("sealed");
        assert_eq!(clone.reseal(b"", &before).map(|value| value[0]), Ok(2));
        assert!(old.replace([(1, [7; 32])], 2).is_err());
    }
}
