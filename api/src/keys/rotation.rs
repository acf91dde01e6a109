//! New keys in the place of old ones, while servers run.

use chrono::{DateTime, TimeDelta, Utc};
use entity::server_key::{Model, Purpose};

use super::{KeyError, Keyring, queries};
use crate::store::SystemTx;

/// How long after it was stored a new key is used: every node asks for new ones several times until then.
pub const SETTLES: TimeDelta = TimeDelta::seconds(3);
/// No access token, and nothing else that is signed, lasts longer.
const LONGEST_TOKEN: TimeDelta = TimeDelta::minutes(15);
/// How long a retired encryption key still opens what a node may have written late.
pub const RETIRED_FOR: TimeDelta = TimeDelta::days(1);

/// Stores every key under the current secret, so that those of before can go. Call it within a transaction.
pub async fn rewrap(keys: &Keyring, tx: &SystemTx) -> Result<(), KeyError> {
    for purpose in [Purpose::Encryption, Purpose::Signing] {
        for row in queries::of_purpose(tx, purpose).await? {
            let sealed = keys.wrap(purpose, row.number, &keys.unwrap(&row)?)?;
            queries::set_sealed(tx, &row, sealed).await?;
        }
    }
    Ok(())
}

/// Makes a new key for access tokens. The old ones check until the last of their tokens has ended. Answers from when on
/// the new one signs.
pub async fn rotate_signing(keys: &Keyring, tx: &SystemTx, now: DateTime<Utc>) -> Result<DateTime<Utc>, KeyError> {
    queries::forget_retired(tx, Purpose::Signing, now).await?;
    let row = next(keys, tx, Purpose::Signing, now).await?;
    let (number, active_at) = (row.number, row.active_at);
    // Another SETTLES for the node that learns of it last.
    let end = active_at + SETTLES + LONGEST_TOKEN;
    queries::insert(tx, row).await?;
    queries::retire_before(tx, Purpose::Signing, number, end).await?;
    Ok(active_at)
}

/// Makes a new key for what is stored, or goes on with one whose rotation was interrupted. Answers its number, from when
/// on it is used, and whether it goes on.
pub async fn begin_encryption(
    keys: &Keyring,
    tx: &SystemTx,
    now: DateTime<Utc>,
) -> Result<(i16, DateTime<Utc>, bool), KeyError> {
    let rows = queries::of_purpose(tx, Purpose::Encryption).await?;
    let open: Vec<&Model> = rows.iter().filter(|row| row.retired_at.is_none()).collect();
    if let [_, .., newest] = open[..] {
        return Ok((newest.number, newest.active_at, true));
    }
    let row = next(keys, tx, Purpose::Encryption, now).await?;
    let (number, active_at) = (row.number, row.active_at);
    u8::try_from(number).map_err(|_| KeyError::Exhausted)?;
    queries::insert(tx, row).await?;
    Ok((number, active_at, false))
}

/// Nothing names an older key any more: they retire, and those go that retired long ago.
pub async fn finish_encryption(tx: &SystemTx, number: i16, now: DateTime<Utc>) -> Result<(), KeyError> {
    queries::retire_before(tx, Purpose::Encryption, number, now).await?;
    queries::forget_retired(tx, Purpose::Encryption, now - RETIRED_FOR).await?;
    Ok(())
}

async fn next(keys: &Keyring, tx: &SystemTx, purpose: Purpose, now: DateTime<Utc>) -> Result<Model, KeyError> {
    let rows = queries::of_purpose(tx, purpose).await?;
    let newest = rows.last().map_or(0, |row| row.number);
    let number = newest.checked_add(1).ok_or(KeyError::Exhausted)?;
    keys.fresh(purpose, number, now, now + SETTLES)
}
