//! Which messages wait to be sent or are on their way, and who goes first.
//!
//! Owns the table `message_queue`: what would be an index of `message`, kept by hand (`entity::message_queue` says why).
//!
//! **Invariant:** a message has a row here exactly while it is QUEUED or SENDING, and the row says which. Whoever changes
//! that status calls this module in the same transaction, after the message was changed and only for messages that were:
//! the message's own row is the lock.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{DeviceId, MessageId, message, message_queue};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, Order,
    sea_query::{Expr, Func},
};

use crate::store::{Scoped, TenantScope, TenantTx};

/// Messages wait from now on.
pub async fn enter(tx: &TenantTx, messages: &[message::Model]) -> Result<(), DbErr> {
    let rows = messages.iter().map(|message| message_queue::ActiveModel {
        tenant_id: Set(message.tenant_id),
        message_id: Set(message.id),
        device_id: Set(message.device_id),
        priority: Set(message.priority),
        sending: Set(false),
        next_attempt_at: Set(None),
    });
    tx.insert_many::<message_queue::Entity, _>(rows.collect()).await
}

/// Messages are no longer waited for: the server took them, or they ended. Those that are not here do no harm.
pub async fn leave(tx: &TenantTx, messages: impl IntoIterator<Item = MessageId>) -> Result<(), DbErr> {
    let messages: Vec<MessageId> = messages.into_iter().collect();
    if messages.is_empty() {
        return Ok(());
    }
    tx.delete_among::<message_queue::Entity, _>(message_queue::Column::MessageId, messages)
        .await
        .map(|_| ())
}

/// What each of these devices may take now, the most urgent first: at most as many as stand beside it.
pub async fn due(
    tx: &TenantTx,
    now: DateTime<Utc>,
    devices: impl IntoIterator<Item = (DeviceId, u64)>,
) -> Result<Vec<MessageId>, DbErr> {
    use message_queue::Column;
    let is_due = Condition::any()
        .add(Column::NextAttemptAt.is_null())
        .add(Column::NextAttemptAt.lte(now));
    let queries = devices.into_iter().map(|(device_id, most)| {
        tx.find::<message_queue::Entity>()
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
    set(tx, messages.to_vec(), true, None).await
}

/// Messages that were on their way wait again, until `at` when there is such a moment.
pub async fn put_back(
    tx: &TenantTx,
    messages: impl IntoIterator<Item = MessageId>,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    set(tx, messages.into_iter().collect(), false, at).await
}

/// Sets right what the queue says of these messages. Nothing should make it necessary; but a row that is wrong would hold
/// up everything behind it, and one that is missing would be a lost message.
pub async fn reconcile(tx: &TenantTx, messages: &[MessageId]) -> Result<(), DbErr> {
    use message::Column;
    // It changes nothing, and nobody else changes these messages until the commit.
    let held: Vec<(MessageId, message::Status)> = tx
        .update::<message::Entity>()
        .set_to(Column::Attempts, Expr::col(Column::Attempts))
        .among(Column::Id, messages.iter().copied())
        .returning_tuples([Column::Id, Column::Status])
        .await?;
    let with = |wanted: message::Status| -> Vec<MessageId> {
        let ids = held.iter().filter(|(_, status)| *status == wanted);
        ids.map(|(id, _)| *id).collect()
    };
    let (queued, sending) = (with(message::Status::Queued), with(message::Status::Sending));
    let known: HashSet<MessageId> = queued.iter().chain(&sending).copied().collect();
    let gone: Vec<MessageId> = messages.iter().copied().filter(|id| !known.contains(id)).collect();
    tracing::warn!(
        gone = gone.len(),
        queued = queued.len(),
        sending = sending.len(),
        "the queue did not say what its messages say"
    );
    leave(tx, gone).await?;
    set(tx, queued, false, None).await?;
    set(tx, sending, true, None).await
}

async fn set(
    tx: &TenantTx,
    messages: Vec<MessageId>,
    sending: bool,
    next_attempt_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    use message_queue::Column;
    if messages.is_empty() {
        return Ok(());
    }
    tx.update::<message_queue::Entity>()
        .set(Column::Sending, sending)
        .set(Column::NextAttemptAt, next_attempt_at)
        .among(Column::MessageId, messages)
        .execute()
        .await
        .map(|_| ())
}

/// What is on its way from these devices.
pub async fn on_the_way(tx: &TenantTx, devices: Vec<DeviceId>) -> Result<Vec<MessageId>, DbErr> {
    use message_queue::Column;
    let rows: Vec<(MessageId,)> = tx
        .find::<message_queue::Entity>()
        .among(Column::DeviceId, devices)
        .filter(Column::Sending.eq(true))
        .tuples([Expr::col(Column::MessageId)])
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// When the next postponed message of each of these devices is due.
pub async fn next_due(scope: &TenantScope, devices: Vec<DeviceId>) -> Result<HashMap<DeviceId, DateTime<Utc>>, DbErr> {
    use message_queue::Column;
    if devices.is_empty() {
        return Ok(HashMap::new());
    }
    let due: Vec<(DeviceId, Option<DateTime<Utc>>)> = scope
        .find::<message_queue::Entity>()
        .among(Column::DeviceId, devices)
        .filter(Column::NextAttemptAt.is_not_null())
        .group_by([Expr::col(Column::DeviceId)])
        .tuples([Expr::col(Column::DeviceId), Column::NextAttemptAt.min()])
        .await?;
    Ok(due.into_iter().filter_map(|(device, at)| Some((device, at?))).collect())
}

/// How many messages of each of these devices wait (`false`) and are on their way (`true`).
pub async fn depths(scope: &TenantScope, devices: &[DeviceId]) -> Result<Vec<(DeviceId, bool, i64)>, DbErr> {
    use message_queue::Column;
    let (device, sending) = (Expr::col(Column::DeviceId), Expr::col(Column::Sending));
    scope
        .find::<message_queue::Entity>()
        .among(Column::DeviceId, devices.iter().copied())
        .group_by([device.clone(), sending.clone()])
        .tuples([device, sending, Func::count(Expr::col(Column::MessageId)).into()])
        .await
}
