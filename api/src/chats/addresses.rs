//! Which two addresses are one person's.
//!
//! WhatsApp speaks of a person by phone number or by a hidden address (LID). A chat goes by the number as soon as it is
//! known.
//!
//! **Invariant:** whoever makes or touches a chat by its hidden address holds the row of that address until the commit,
//! and so does whoever notes its number. Neither can miss the other.

use std::collections::{BTreeSet, HashMap};

use entity::{DeviceId, address_pair};
use sea_orm::{ActiveValue::Set, DbErr, sea_query::OnConflict};

use crate::{
    clock::new_id,
    store::{TenantScope, TenantTx},
};

/// A hidden address of a device's contact and the address by phone number of the same person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub device_id: DeviceId,
    /// `…@lid`
    pub lid: String,
    /// `…@s.whatsapp.net`
    pub phone_jid: String,
}

/// Whether an address hides the number.
pub fn is_hidden(jid: &str) -> bool {
    jid.ends_with("@lid")
}

/// Whether this pair was noted before.
pub async fn is_noted(scope: &TenantScope, pair: &Pair) -> Result<bool, DbErr> {
    use address_pair::Column;
    use sea_orm::ColumnTrait;
    let noted = scope
        .find::<address_pair::Entity>()
        .filter(Column::DeviceId.eq(pair.device_id))
        .filter(Column::Lid.eq(&pair.lid))
        .filter(Column::PhoneJid.eq(&pair.phone_jid))
        .one()
        .await?;
    Ok(noted.is_some())
}

/// Notes pairs. The newest number of a person wins.
pub async fn note(tx: &TenantTx, pairs: &BTreeSet<Pair>) -> Result<(), DbErr> {
    let rows = pairs
        .iter()
        .map(|pair| row(pair.device_id, &pair.lid, Some(pair.phone_jid.clone())));
    let newest = unique_address()
        .update_column(address_pair::Column::PhoneJid)
        .to_owned();
    tx.upsert_many::<address_pair::Entity, _>(rows.collect(), newest)
        .await?;
    Ok(())
}

/// The addresses by number of those that are hidden, as far as they are known. The others are held too.
pub async fn numbers(
    tx: &TenantTx,
    addresses: impl Iterator<Item = (DeviceId, &str)>,
) -> Result<HashMap<(DeviceId, String), String>, DbErr> {
    // In a fixed order, as every lock is taken.
    let hidden: BTreeSet<_> = addresses.filter(|(_, jid)| is_hidden(jid)).collect();
    if hidden.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = hidden.into_iter().map(|(device_id, lid)| row(device_id, lid, None));
    // Nothing changes, but the row is held and answered.
    let hold = unique_address().update_column(address_pair::Column::Lid).to_owned();
    let pairs = tx.upsert_many::<address_pair::Entity, _>(rows.collect(), hold).await?;
    Ok(pairs
        .into_iter()
        .filter_map(|pair| Some(((pair.device_id, pair.lid), pair.phone_jid?)))
        .collect())
}

fn unique_address() -> OnConflict {
    OnConflict::columns([address_pair::Column::DeviceId, address_pair::Column::Lid])
}

fn row(device_id: DeviceId, lid: &str, phone_jid: Option<String>) -> address_pair::ActiveModel {
    address_pair::ActiveModel {
        id: Set(new_id()),
        device_id: Set(device_id),
        lid: Set(lid.to_owned()),
        phone_jid: Set(phone_jid),
        ..Default::default()
    }
}
