//! Passwords: hashed with argon2id, on threads of their own, only a few at the same time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{config, secret::Secret};

/// Longer ones are refused before they are hashed.
pub const LONGEST: usize = 1_024;
/// Shorter ones are refused when a password is set.
pub const SHORTEST: usize = 8;

/// A password could not be hashed or checked: a stored hash is damaged, or the server is shutting down.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// argon2 refused.
    #[error("the password hash can't be used: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    /// A stored hash is damaged.
    #[error("a stored password hash is damaged: {0}")]
    Damaged(String),
    /// The server is shutting down.
    #[error("the password was not hashed: the server is shutting down")]
    Stopped,
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and its hash was made with other parameters than today's: hash it anew.
    RightButOutdated,
}

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// How many hashes were computed: what an answer costs, and so how long it takes.
    computed: Arc<AtomicU64>,
}

impl Passwords {
    /// Prepares hashing with the configured parameters, which were checked.
    pub fn new(config: config::Passwords) -> Result<Self, PasswordError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)
            .map_err(|error| PasswordError::Damaged(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self {
            argon2,
            permits: Arc::new(Semaphore::new(config.concurrency)),
            computed: Arc::default(),
        })
    }

    /// Hashes a password.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        self.run(move || hash(&argon2, password.expose())).await
    }

    /// Checks a password against a stored hash; `None` means that there is no such account, and takes as long, since
    /// hashing is what checking costs.
    pub async fn verify(&self, password: Secret, stored: Option<&str>) -> Result<Verdict, PasswordError> {
        let Some(stored) = stored.map(ToOwned::to_owned) else {
            return self.hash(password).await.map(|_| Verdict::Wrong);
        };
        let argon2 = self.argon2.clone();
        self.run(move || check(&argon2, password.expose(), &stored)).await
    }

    /// How many hashes were computed so far.
    #[cfg(test)]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Stopped)?;
        self.computed.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("kabar_password_hashes_total").increment(1);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|_| PasswordError::Stopped)?
    }
}

/// A password for people to type once: 100 random bits in five groups.
pub fn random() -> Secret {
    let bits = entity::id::encode_base32(rand::random::<u128>());
    let digits = &bits[6..];
    let groups: Vec<&str> = (0..5).map(|group| &digits[group * 4..group * 4 + 4]).collect();
    Secret::new(groups.join("-"))
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, PasswordError> {
    let hash: PasswordHash = argon2.hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

fn check(argon2: &Argon2<'_>, password: &str, stored: &str) -> Result<Verdict, PasswordError> {
    let parsed = PasswordHash::new(stored).map_err(|error| PasswordError::Damaged(error.to_string()))?;
    if argon2.verify_password(password.as_bytes(), &parsed).is_err() {
        return Ok(Verdict::Wrong);
    }
    let params = argon2.params();
    let same = [("m", params.m_cost()), ("t", params.t_cost()), ("p", params.p_cost())]
        .iter()
        .all(|(name, value)| parsed.params.get_decimal(*name) == Some(*value));
    Ok(if same {
        Verdict::Right
    } else {
        Verdict::RightButOutdated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(iterations: u32) -> Passwords {
        let config = config::Passwords {
            memory_kib: 64,
            iterations,
            parallelism: 1,
            concurrency: 2,
        };
        Passwords::new(config).expect("valid parameters")
    }

    #[tokio::test]
    async fn the_right_password_is_told_from_wrong_ones() {
        let passwords = passwords(1);
        let hash = passwords.hash(Secret::new("correct horse")).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        let check = |text: &str, stored| passwords.verify(Secret::new(text), stored);
        assert_eq!(check("correct horse", Some(&hash)).await.ok(), Some(Verdict::Right));
        assert_eq!(check("battery staple", Some(&hash)).await.ok(), Some(Verdict::Wrong));
        assert_eq!(check("correct horse", None).await.ok(), Some(Verdict::Wrong));
        assert!(check("correct horse", Some("plain text")).await.is_err());
    }

    #[tokio::test]
    async fn hashes_made_with_other_parameters_are_outdated() {
        let old = passwords(1).hash(Secret::new("correct horse")).await.expect("hashed");
        let verdict = passwords(2).verify(Secret::new("correct horse"), Some(&old)).await;
        assert_eq!(verdict.ok(), Some(Verdict::RightButOutdated));
    }

    #[test]
    fn random_passwords_are_long_and_differ() {
        let (first, second) = (random(), random());
        assert_eq!(first.expose().len(), 24);
        assert_ne!(first.expose(), second.expose());
    }
}
