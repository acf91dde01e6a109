//! Queries over second factors and recovery codes.

use chrono::{DateTime, Utc};
use entity::{UserId, recovery_code, second_factor};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, sea_query::Expr,
};

use crate::store::{SystemScope, SystemTx};

/// A person's second factor, confirmed or not.
pub async fn find(system: &SystemScope, user: UserId) -> Result<Option<second_factor::Model>, DbErr> {
    system
        .find::<second_factor::Entity>()
        .filter(second_factor::Column::UserId.eq(user))
        .one()
        .await
}

/// Since when a person's second factor is on, and how many recovery codes are left. `None`: it is off.
pub async fn state(system: &SystemScope, user: UserId) -> Result<Option<(DateTime<Utc>, u64)>, DbErr> {
    let Some(since) = find(system, user).await?.and_then(|row| row.confirmed_at) else {
        return Ok(None);
    };
    let left = system
        .find::<recovery_code::Entity>()
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::UsedAt.is_null())
        .count()
        .await?;
    Ok(Some((since, left)))
}

/// Keeps a secret that is not confirmed yet, in place of an earlier one. False when a confirmed one is there.
pub async fn enroll(tx: &SystemTx, user: UserId, secret: Vec<u8>, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let unconfirmed = Condition::all()
        .add(second_factor::Column::UserId.eq(user))
        .add(second_factor::Column::ConfirmedAt.is_null());
    second_factor::Entity::delete_many()
        .filter(unconfirmed)
        .exec(tx.connection())
        .await?;
    let there = second_factor::Entity::find_by_id(user).one(tx.connection()).await?;
    if there.is_some() {
        return Ok(false);
    }
    let row = second_factor::Model {
        user_id: user,
        secret,
        created_at: now,
        confirmed_at: None,
        last_step: None,
    };
    let row: second_factor::ActiveModel = row.into();
    second_factor::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(true)
}

/// Confirms a secret by the code of a step. False when another request was faster, or the secret is another one by now.
pub async fn confirm(tx: &SystemTx, row: &second_factor::Model, step: i64, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let result = second_factor::Entity::update_many()
        .col_expr(second_factor::Column::ConfirmedAt, Expr::value(now))
        .col_expr(second_factor::Column::LastStep, Expr::value(step))
        .filter(second_factor::Column::UserId.eq(row.user_id))
        .filter(second_factor::Column::Secret.eq(row.secret.clone()))
        .filter(second_factor::Column::ConfirmedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Takes the code of a step; of the same code twice, only one gets it.
pub async fn claim_step(tx: &SystemTx, user: UserId, step: i64) -> Result<bool, DbErr> {
    let older = Condition::any()
        .add(second_factor::Column::LastStep.is_null())
        .add(second_factor::Column::LastStep.lt(step));
    let result = second_factor::Entity::update_many()
        .col_expr(second_factor::Column::LastStep, Expr::value(step))
        .filter(second_factor::Column::UserId.eq(user))
        .filter(second_factor::Column::ConfirmedAt.is_not_null())
        .filter(older)
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Takes a recovery code; of the same one twice, only one gets it.
pub async fn claim_recovery_code(
    tx: &SystemTx,
    user: UserId,
    hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let result = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(now))
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::CodeHash.eq(hash))
        .filter(recovery_code::Column::UsedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Puts new recovery codes in the place of the old ones.
pub async fn replace_recovery_codes(
    tx: &SystemTx,
    user: UserId,
    hashes: Vec<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(user))
        .exec(tx.connection())
        .await?;
    let rows = hashes.into_iter().map(|hash| recovery_code::ActiveModel {
        user_id: Set(user),
        code_hash: Set(hash),
        created_at: Set(now),
        used_at: Set(None),
    });
    recovery_code::Entity::insert_many(rows)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Turns a second factor off; its recovery codes go with it. False when there was none.
pub async fn remove(tx: &SystemTx, user: UserId) -> Result<bool, DbErr> {
    let result = second_factor::Entity::delete_many()
        .filter(second_factor::Column::UserId.eq(user))
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}
