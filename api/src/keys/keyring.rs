//! Loads the keys, and follows what rotations make of them.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entity::server_key::{Model, Purpose};
use sea_orm::{ActiveEnum, DbErr};

use super::{SigningKey, SigningKeys, queries};
use crate::{
    clock::Clock,
    secret::MasterKey,
    store::{
        Reason, Store, SystemScope,
        cipher::{Cipher, CipherError},
    },
};

/// How often the database is asked for new keys. Shorter than a new key takes until it is used.
const POLL: Duration = Duration::from_secs(1);
/// What the first keys are derived from: servers from before there was a table go on with theirs.
const FIRST: [(Purpose, &str); 2] = [
    (Purpose::Encryption, "engine records v1"),
    (Purpose::Signing, "access token v1"),
];

/// The keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database failed.
    #[error("the server's keys can't be read")]
    Database(#[from] DbErr),
    /// The configured secret opens none of them.
    #[error(
        "the {0} key {1} in the database was stored under another secret_key: set KABAR_SECRET_KEY to the one of before, or \
         name that one in KABAR_PREVIOUS_SECRET_KEYS (see kabar.default.toml)"
    )]
    OtherSecret(String, i16),
    /// Encryption failed.
    #[error("the server's keys can't be encrypted: {0}")]
    Cipher(#[from] CipherError),
    /// There were more rotations than numbers.
    #[error("there were too many rotations: the number of the next key does not fit")]
    Exhausted,
    /// Something can't be opened with any key.
    #[error("{0} stored values can't be opened with any known key; they were left as they are, and so was the old key")]
    Unreadable(u64),
}

/// The server's keys. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    pub(super) store: Store,
    clock: Clock,
    /// Of the secrets of the configuration, the current one first.
    wraps: Arc<Vec<Cipher>>,
    cipher: Cipher,
    signing: SigningKeys,
}

impl Keyring {
    /// Reads the keys, and makes the first ones when there are none. `secrets`: the current one first, then those of
    /// before.
    pub async fn open(store: Store, clock: Clock, secrets: &[MasterKey]) -> Result<Self, KeyError> {
        let wraps = secrets
            .iter()
            .map(|secret| Cipher::new([(0, secret.derive("server keys v1"))]))
            .collect::<Result<Vec<_>, _>>()?;
        let ring = Self {
            store,
            wraps: Arc::new(wraps),
            cipher: Cipher::new([(1, [0; 32])])?,
            signing: SigningKeys::default(),
            clock,
        };
        ring.make_first(secrets).await?;
        ring.reload().await?;
        Ok(ring)
    }

    /// Encrypts and opens with the keys as they are at each moment.
    pub fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// The keys of access tokens as they are at each moment.
    pub fn signing(&self) -> &SigningKeys {
        &self.signing
    }

    /// Takes over what rotations have made.
    pub async fn reload(&self) -> Result<(), KeyError> {
        let rows = queries::list(&self.system()).await?;
        let now = self.clock.now();
        let mut encryption = Vec::new();
        let mut signing = Vec::new();
        for row in &rows {
            let key = self.unwrap(row)?;
            match row.purpose {
                Purpose::Encryption => encryption.push((number(row)?, key, row.active_at <= now)),
                Purpose::Signing => signing.push(SigningKey::new(key, row.active_at, row.retired_at)),
            }
        }
        let active = encryption
            .iter()
            .filter(|(_, _, active)| *active)
            .map(|(number, ..)| *number);
        let oldest = encryption.iter().map(|(number, ..)| *number).min();
        let newest = active.max().or(oldest).ok_or(CipherError::NoKey)?;
        self.cipher
            .replace(encryption.into_iter().map(|(number, key, _)| (number, key)), newest)?;
        self.signing.replace(signing);
        Ok(())
    }

    /// Reloads for ever.
    pub async fn follow(self) {
        let mut ticks = tokio::time::interval(POLL);
        loop {
            ticks.tick().await;
            if let Err(error) = self.reload().await {
                tracing::warn!(%error, "the server's keys could not be read anew; what was known goes on");
            }
        }
    }

    pub(super) fn system(&self) -> SystemScope {
        self.store.system(Reason::Keys)
    }

    pub(super) fn wrap(&self, purpose: Purpose, number: i16, key: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
        let current = self.wraps.first().ok_or(CipherError::NoKey)?;
        Ok(current.seal(&place(purpose, number), key)?)
    }

    pub(super) fn unwrap(&self, row: &Model) -> Result<[u8; 32], KeyError> {
        let place = place(row.purpose, row.number);
        let opened = self.wraps.iter().find_map(|wrap| wrap.open(&place, &row.sealed).ok());
        opened
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| KeyError::OtherSecret(row.purpose.to_value(), row.number))
    }

    /// A key that is not used before `active_at`.
    pub(super) fn fresh(
        &self,
        purpose: Purpose,
        number: i16,
        now: DateTime<Utc>,
        active_at: DateTime<Utc>,
    ) -> Result<Model, KeyError> {
        Ok(Model {
            purpose,
            number,
            sealed: self.wrap(purpose, number, &rand::random())?,
            created_at: now,
            active_at,
            retired_at: None,
        })
    }

    async fn make_first(&self, secrets: &[MasterKey]) -> Result<(), KeyError> {
        if !queries::list(&self.system()).await?.is_empty() {
            return Ok(());
        }
        // A database without keys was written under the oldest secret, if under any.
        let oldest = secrets.last().ok_or(CipherError::NoKey)?;
        let now = self.clock.now();
        let tx = self.system().begin().await?;
        for (purpose, name) in FIRST {
            let row = Model {
                purpose,
                number: 1,
                sealed: self.wrap(purpose, 1, &oldest.derive(name))?,
                created_at: now,
                active_at: now,
                retired_at: None,
            };
            queries::insert_if_missing(&tx, row).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What a key is sealed for.
fn place(purpose: Purpose, number: i16) -> Vec<u8> {
    format!("server key {} {number}", purpose.to_value()).into_bytes()
}

fn number(row: &Model) -> Result<u8, KeyError> {
    u8::try_from(row.number).map_err(|_| KeyError::Exhausted)
}
