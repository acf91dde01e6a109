//! Encrypts the engine's records anew, while the engine goes on with them.

use entity::engine_record::{Column, Entity, Model};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, Order, QueryFilter, sea_query::Expr};

use super::records::place;
use crate::{
    keys::{Resealed, is_under_another_key},
    store::{Reason, Store, SystemTx, cipher::Cipher},
};

/// How many records are changed in one transaction.
const BATCH: u64 = 200;

/// Encrypts every record that is under another key than the newest. A record that the engine changes at the same moment
/// is left to the engine: what it writes is newer.
pub async fn reseal(store: &Store, cipher: &Cipher) -> Result<Resealed, DbErr> {
    let system = store.system(Reason::Keys);
    let mut resealed = Resealed::default();
    let mut last: Option<Model> = None;
    loop {
        let rows = system
            .find::<Entity>()
            .filter(is_under_another_key(Column::Value, cipher.newest()))
            .filter(behind(last.as_ref()))
            .order_by(Column::DeviceId, Order::Asc)
            .order_by(Column::Space, Order::Asc)
            .order_by(Column::Key, Order::Asc)
            .limit(BATCH)
            .all()
            .await?;
        if rows.is_empty() {
            return Ok(resealed);
        }
        let tx = system.begin().await?;
        for row in &rows {
            match cipher.reseal(&place(row.device_id, row.space, &row.key), &row.value) {
                Ok(value) => resealed.changed += replace(&tx, row, value).await?,
                Err(_) => resealed.unreadable += 1,
            }
        }
        tx.commit().await?;
        last = rows.into_iter().next_back();
    }
}

/// Behind a record, in the order of the primary key.
fn behind(last: Option<&Model>) -> Condition {
    let Some(last) = last else { return Condition::all() };
    let in_space = Condition::all()
        .add(Column::Space.eq(last.space))
        .add(Column::Key.gt(last.key.clone()));
    let in_device = Condition::all()
        .add(Column::DeviceId.eq(last.device_id))
        .add(Condition::any().add(Column::Space.gt(last.space)).add(in_space));
    Condition::any().add(Column::DeviceId.gt(last.device_id)).add(in_device)
}

async fn replace(tx: &SystemTx, row: &Model, value: Vec<u8>) -> Result<u64, DbErr> {
    let result = Entity::update_many()
        .col_expr(Column::Value, Expr::value(value))
        .filter(Column::DeviceId.eq(row.device_id))
        .filter(Column::Space.eq(row.space))
        .filter(Column::Key.eq(row.key.clone()))
        .filter(Column::Value.eq(row.value.clone()))
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected)
}
