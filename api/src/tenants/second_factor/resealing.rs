//! Encrypts the secrets of authenticator apps anew.

use entity::second_factor::{Column, Entity, Model};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, Order, QueryFilter, sea_query::Expr};

use super::service::place;
use crate::{
    keys::{Resealed, is_under_another_key},
    store::{Reason, Store, cipher::Cipher},
};

/// How many secrets are changed in one transaction.
const BATCH: u64 = 200;

/// Encrypts every secret that is under another key than the newest. One that is replaced at the same moment is left: what
/// takes its place is newer.
pub async fn reseal(store: &Store, cipher: &Cipher) -> Result<Resealed, DbErr> {
    let system = store.system(Reason::Keys);
    let mut resealed = Resealed::default();
    let mut last: Option<Model> = None;
    loop {
        let behind = last.as_ref().map_or_else(Condition::all, |last| {
            Condition::all().add(Column::UserId.gt(last.user_id))
        });
        let rows = system
            .find::<Entity>()
            .filter(is_under_another_key(Column::Secret, cipher.newest()))
            .filter(behind)
            .order_by(Column::UserId, Order::Asc)
            .limit(BATCH)
            .all()
            .await?;
        if rows.is_empty() {
            return Ok(resealed);
        }
        let tx = system.begin().await?;
        for row in &rows {
            let Ok(secret) = cipher.reseal(&place(row.user_id), &row.secret) else {
                resealed.unreadable += 1;
                continue;
            };
            let result = Entity::update_many()
                .col_expr(Column::Secret, Expr::value(secret))
                .filter(Column::UserId.eq(row.user_id))
                .filter(Column::Secret.eq(row.secret.clone()))
                .exec(tx.connection())
                .await?;
            resealed.changed += result.rows_affected;
        }
        tx.commit().await?;
        last = rows.into_iter().next_back();
    }
}
