//! Queries over open links.

use chrono::{DateTime, Utc};
use entity::{UserId, password_reset};
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter};

use crate::store::{SystemScope, SystemTx};

/// A link by what stands in it.
pub async fn find(system: &SystemScope, hash: &[u8]) -> Result<Option<password_reset::Model>, DbErr> {
    system
        .find::<password_reset::Entity>()
        .filter(password_reset::Column::TokenHash.eq(hash.to_vec()))
        .one()
        .await
}

/// Keeps a link, and forgets the person's links that have ended.
pub async fn insert(tx: &SystemTx, row: password_reset::Model) -> Result<(), DbErr> {
    password_reset::Entity::delete_many()
        .filter(password_reset::Column::UserId.eq(row.user_id))
        .filter(password_reset::Column::ExpiresAt.lte(row.created_at))
        .exec(tx.connection())
        .await?;
    let row: password_reset::ActiveModel = row.into();
    password_reset::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Uses up a link that has not ended; of two at the same moment only one gets it.
pub async fn claim(tx: &SystemTx, hash: &[u8], now: DateTime<Utc>) -> Result<bool, DbErr> {
    let result = password_reset::Entity::delete_many()
        .filter(password_reset::Column::TokenHash.eq(hash.to_vec()))
        .filter(password_reset::Column::ExpiresAt.gt(now))
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Ends every link of a person.
pub async fn end_all(tx: &SystemTx, user: UserId) -> Result<(), DbErr> {
    password_reset::Entity::delete_many()
        .filter(password_reset::Column::UserId.eq(user))
        .exec(tx.connection())
        .await?;
    Ok(())
}
