//! New keys in the place of old ones, from the server's own machine, while servers run.
//!
//! **Invariant:** whatever the database holds encrypted is in [`reseal`]. A table that is added with such a column is
//! added there.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{StartError, wiring::open_store};
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::Clock,
    config::Config,
    engine,
    keys::{self, KeyError, Keyring, Resealed},
    store::{Reason, Store, cipher::Cipher},
    tenants,
};

/// A node that learns of a new key last encrypts under the old one for at most this long.
const LATE: TimeDelta = TimeDelta::seconds(2);

/// What a rotation of the encryption key did.
#[derive(Clone, Copy, Debug)]
pub struct Rotated {
    /// The number of the key that everything is under now.
    pub number: i16,
    /// Whether it went on with a rotation that had been interrupted.
    pub went_on: bool,
    /// How many stored values were encrypted anew.
    pub values: u64,
}

/// Makes a new key for what is stored, and encrypts everything anew under it. Interrupted, it goes on where it was.
pub async fn rotate_encryption_key(config: &Config, clock: &Clock) -> Result<Rotated, StartError> {
    let (store, ring) = open(config, clock).await?;
    let tx = store.system(Reason::Keys).begin().await?;
    // From here on the secrets of before are not needed any more.
    keys::rewrap(&ring, &tx).await?;
    let (number, active_at, went_on) = keys::begin_encryption(&ring, &tx, clock.now()).await?;
    tx.commit().await?;
    until(clock, active_at + LATE).await;
    ring.reload().await?;
    let mut values = 0;
    loop {
        let pass = reseal(&store, ring.cipher()).await?;
        values += pass.changed;
        if pass.changed > 0 {
            continue;
        }
        if pass.unreadable > 0 {
            return Err(KeyError::Unreadable(pass.unreadable).into());
        }
        break;
    }
    let now = clock.now();
    let tx = store.system(Reason::Keys).begin().await?;
    keys::finish_encryption(&tx, number, now).await?;
    let entry = Entry::without_object(Action::EncryptionKeyRotated);
    audit::record_beyond(&tx, None, now, &Actor::system(), entry).await?;
    tx.commit().await?;
    store.close().await?;
    Ok(Rotated {
        number,
        went_on,
        values,
    })
}

/// Makes a new key for access tokens. Nobody is logged out: tokens of the old one last until they end by themselves.
/// Answers from when on the new one signs.
pub async fn rotate_signing_key(config: &Config, clock: &Clock) -> Result<DateTime<Utc>, StartError> {
    let (store, ring) = open(config, clock).await?;
    let now = clock.now();
    let tx = store.system(Reason::Keys).begin().await?;
    let active_at = keys::rotate_signing(&ring, &tx, now).await?;
    let entry = Entry::without_object(Action::SigningKeyRotated);
    audit::record_beyond(&tx, None, now, &Actor::system(), entry).await?;
    tx.commit().await?;
    store.close().await?;
    Ok(active_at)
}

/// Every table with encrypted values.
async fn reseal(store: &Store, cipher: &Cipher) -> Result<Resealed, sea_orm::DbErr> {
    let parts = [
        engine::reseal_records(store, cipher).await?,
        tenants::reseal_second_factors(store, cipher).await?,
    ];
    Ok(parts.into_iter().fold(Resealed::default(), |sum, part| Resealed {
        changed: sum.changed + part.changed,
        unreadable: sum.unreadable + part.unreadable,
    }))
}

async fn open(config: &Config, clock: &Clock) -> Result<(Store, Keyring), StartError> {
    let store = open_store(&config.database).await?;
    store.migrate().await?;
    let ring = Keyring::open(store.clone(), clock.clone(), &config.secrets()).await?;
    Ok((store, ring))
}

async fn until(clock: &Clock, moment: DateTime<Utc>) {
    while let Ok(left) = (moment - clock.now()).to_std() {
        tokio::time::sleep(left.max(Duration::from_millis(1))).await;
    }
}
