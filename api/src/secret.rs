//! Values that must never be printed, and the keys that are derived from the one secret of the configuration.

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};

/// A text that does not show in logs and error messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its SHA-256, by which the database knows a random secret without being able to tell it.
    pub fn sha256(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What everything secret is derived from.
#[derive(Clone)]
pub struct MasterKey(Vec<u8>);

impl MasterKey {
    /// Shorter ones are refused.
    pub const MIN_BYTES: usize = 32;

    /// Takes the bytes of the key; `None` when there are too few.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= Self::MIN_BYTES).then_some(Self(bytes))
    }

    /// A key for one purpose. Purposes can't be computed from each other.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(Some(b"kabar"), &self.0)
            .expand(purpose.as_bytes(), &mut key)
            .expect("32 bytes are fewer than HKDF-SHA256 can give");
        key
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_get_different_keys_and_the_same_one_each_time() {
        let key = MasterKey::new(vec![7; 32]).expect("long enough");
        assert_eq!(key.derive("a"), key.derive("a"));
        assert_ne!(key.derive("a"), key.derive("b"));
        assert!(MasterKey::new(vec![7; 31]).is_none());
    }

    #[test]
    fn secrets_do_not_show() {
        let key = MasterKey::new(vec![7; 32]).expect("long enough");
        assert!(!format!("{:?} {key:?}", Secret::new("hunter2")).contains('7'));
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
