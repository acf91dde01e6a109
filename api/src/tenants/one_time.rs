//! Secrets of links that can be followed once: 256 random bits, stored as a hash.

use entity::id::encode_base32;

use crate::secret::Secret;

const LENGTH: usize = 52;

/// What stands in a link. It can only be had once, when it is made.
#[derive(Clone, Debug)]
pub struct OneTimeSecret(Secret);

impl OneTimeSecret {
    /// A random one.
    pub fn random() -> Self {
        Self(Secret::new(
            encode_base32(rand::random()) + &encode_base32(rand::random()),
        ))
    }

    /// Reads what a caller sent. `None` when it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_sane = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_sane.then(|| Self(Secret::new(text)))
    }

    /// What the link shows.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the database keeps.
    pub fn hash(&self) -> Vec<u8> {
        self.0.sha256()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_garbage_is_refused() {
        let secret = OneTimeSecret::random();
        let read = OneTimeSecret::read(&format!(" {} ", secret.expose())).expect("it is whole");
        assert_eq!(read.hash(), secret.hash());
        for garbage in ["", "x", &"ä".repeat(26), &secret.expose()[1..]] {
            assert!(OneTimeSecret::read(garbage).is_none(), "{garbage}");
        }
    }
}
