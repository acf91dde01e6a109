//! Which messages wait to be sent or are on their way, and who goes first.
//!
//! Owns the table `outbox`: what would be an index of `message`, kept by hand (`entity::outbox` says why).
//!
//! **Invariant:** a message has a row here exactly while it is SCHEDULED, QUEUED or SENDING. Whoever changes that status
//! calls this module in the same transaction, and after the message was changed: its row is the lock, and the status in it
//! decides.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{DeviceId, MessageId, message, outbox};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, Order,
    sea_query::{Expr, Func},
};

use crate::store::{Scoped, TenantScope, TenantTx};

/// Messages wait from now on.
pub async fn enter(tx: &TenantTx, messages: &[message::Model]) -> Result<(), DbErr> {
    let rows = messages.iter().map(|message| outbox::ActiveModel {
        tenant_id: Set(message.tenant_id),
        message_id: Set(message.id),
        device_id: Set(message.device_id),
        priority: Set(message.priority),
        sending: Set(false),
        next_attempt_at: Set(None),
    });
    tx.insert_many::<outbox::Entity, _>(rows.collect()).await
}

/// Messages are no longer waited for: the server took them, or they ended. Those that are not here do no harm.
pub async fn leave(tx: &TenantTx, messages: impl IntoIterator<Item = MessageId>) -> Result<(), DbErr> {
    let messages = ordered(messages);
    if messages.is_empty() {
        return Ok(());
    }
    tx.delete_among::<outbox::Entity, _>(outbox::Column::MessageId, messages)
        .await
        .map(|_| ())
}

/// What each of these devices may take now, the most urgent first: at most as many as stand beside it.
pub async fn due(
    tx: &TenantTx,
    now: DateTime<Utc>,
    devices: impl IntoIterator<Item = (DeviceId, u64)>,
) -> Result<Vec<MessageId>, DbErr> {
    use outbox::Column;
    let is_due = Condition::any()
        .add(Column::NextAttemptAt.is_null())
        .add(Column::NextAttemptAt.lte(now));
    let queries = devices.into_iter().map(|(device_id, most)| {
        tx.find::<outbox::Entity>()
            .filter(Column::DeviceId.eq(device_id))
            .filter(Column::Sending.eq(false))
            .filter(is_due.clone())
            .order_by(Column::Priority, Order::Asc)
            .order_by(Column::MessageId, Order::Asc)
            .limit(most)
    });
    let rows: Vec<(MessageId,)> = Scoped::tuples_of_each(queries.collect(), &[Expr::col(Column::MessageId)]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Messages are on their way.
pub async fn take(tx: &TenantTx, messages: &[MessageId]) -> Result<(), DbErr> {
    use outbox::Column;
    tx.update::<outbox::Entity>()
        .set(Column::Sending, true)
        .set(Column::NextAttemptAt, None::<DateTime<Utc>>)
        .among(Column::MessageId, messages.iter().copied())
        .execute()
        .await
        .map(|_| ())
}

/// Messages that were on their way wait again, until `at` when there is such a moment.
pub async fn put_back(
    tx: &TenantTx,
    messages: impl IntoIterator<Item = MessageId>,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    use outbox::Column;
    let messages = ordered(messages);
    if messages.is_empty() {
        return Ok(());
    }
    tx.update::<outbox::Entity>()
        .set(Column::Sending, false)
        .set(Column::NextAttemptAt, at)
        .among(Column::MessageId, messages)
        .filter(Column::Sending.eq(true))
        .execute()
        .await
        .map(|_| ())
}

/// What is on its way from these devices.
pub async fn on_the_way(tx: &TenantTx, devices: Vec<DeviceId>) -> Result<Vec<MessageId>, DbErr> {
    use outbox::Column;
    let rows: Vec<(MessageId,)> = tx
        .find::<outbox::Entity>()
        .among(Column::DeviceId, devices)
        .filter(Column::Sending.eq(true))
        .tuples([Expr::col(Column::MessageId)])
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// When the next postponed message of each of these devices is due.
pub async fn next_due(scope: &TenantScope, devices: Vec<DeviceId>) -> Result<HashMap<DeviceId, DateTime<Utc>>, DbErr> {
    use outbox::Column;
    if devices.is_empty() {
        return Ok(HashMap::new());
    }
    let due: Vec<(DeviceId, Option<DateTime<Utc>>)> = scope
        .find::<outbox::Entity>()
        .among(Column::DeviceId, devices)
        .filter(Column::NextAttemptAt.is_not_null())
        .group_by([Expr::col(Column::DeviceId)])
        .tuples([Expr::col(Column::DeviceId), Column::NextAttemptAt.min()])
        .await?;
    Ok(due.into_iter().filter_map(|(device, at)| Some((device, at?))).collect())
}

/// How many messages of each of these devices wait (`false`) and are on their way (`true`).
pub async fn depths(scope: &TenantScope, devices: &[DeviceId]) -> Result<Vec<(DeviceId, bool, i64)>, DbErr> {
    use outbox::Column;
    let (device, sending) = (Expr::col(Column::DeviceId), Expr::col(Column::Sending));
    scope
        .find::<outbox::Entity>()
        .among(Column::DeviceId, devices.iter().copied())
        .group_by([device.clone(), sending.clone()])
        .tuples([device, sending, Func::count(Expr::col(Column::MessageId)).into()])
        .await
}

/// In one order, whoever asks: two transactions that lock the same rows do not wait for each other.
fn ordered(messages: impl IntoIterator<Item = MessageId>) -> Vec<MessageId> {
    let mut messages: Vec<MessageId> = messages.into_iter().collect();
    messages.sort_unstable();
    messages
}
