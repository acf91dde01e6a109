//! Queries over the server's keys.

use chrono::{DateTime, Utc};
use entity::server_key::{ActiveModel, Column, Entity, Model, Purpose};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};

use crate::store::{SystemScope, SystemTx};

/// Every key, by purpose, the newest last.
pub async fn list(system: &SystemScope) -> Result<Vec<Model>, DbErr> {
    system
        .find::<Entity>()
        .order_by(Column::Purpose, Order::Asc)
        .order_by(Column::Number, Order::Asc)
        .all()
        .await
}

/// The keys of a purpose within a transaction, the newest last.
pub async fn of_purpose(tx: &SystemTx, purpose: Purpose) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Purpose.eq(purpose))
        .order_by_asc(Column::Number)
        .all(tx.connection())
        .await
}

/// Keeps a key; one that is there stays. Of two nodes that start at the same moment, the first one's counts.
pub async fn insert_if_missing(tx: &SystemTx, row: Model) -> Result<(), DbErr> {
    let row: ActiveModel = row.into();
    let stay = OnConflict::columns([Column::Purpose, Column::Number])
        .do_nothing()
        .to_owned();
    let result = Entity::insert(row.reset_all())
        .on_conflict(stay)
        .exec_without_returning(tx.connection())
        .await;
    match result {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Keeps a new key. Fails when another one has its number.
pub async fn insert(tx: &SystemTx, row: Model) -> Result<(), DbErr> {
    let row: ActiveModel = row.into();
    Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Retires the keys of a purpose that are older than `number`, unless they are.
pub async fn retire_before(tx: &SystemTx, purpose: Purpose, number: i16, at: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::RetiredAt, Expr::value(at))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::Number.lt(number))
        .filter(Column::RetiredAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Forgets the keys of a purpose that retired before `moment`.
pub async fn forget_retired(tx: &SystemTx, purpose: Purpose, moment: DateTime<Utc>) -> Result<u64, DbErr> {
    let result = Entity::delete_many()
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::RetiredAt.lt(moment))
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected)
}

/// Puts a key's value, encrypted anew, in the place of the old one.
pub async fn set_sealed(tx: &SystemTx, row: &Model, sealed: Vec<u8>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(sealed))
        .filter(Column::Purpose.eq(row.purpose))
        .filter(Column::Number.eq(row.number))
        .exec(tx.connection())
        .await?;
    Ok(())
}
