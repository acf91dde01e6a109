//! What becomes of messages that were claimed: given back, postponed, queued again, failed.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{DeviceId, MessageId, message};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, ExprTrait,
    sea_query::{Expr, SimpleExpr},
};

use super::{outbox::status_event, queue, types::before};
use crate::{
    devices::LeasedDevice,
    events::EventLog,
    store::{Store, TenantTx, Update, chunks},
};

/// Gives back messages for which no attempt was made: the device was not connected.
pub async fn give_back(store: &Store, lease: &LeasedDevice, ids: &[MessageId]) -> Result<(), DbErr> {
    use message::Column;
    let tx = store.scope(lease).begin().await?;
    let given_back = queued_again(&tx)
        .set_to(Column::Attempts, Expr::col(Column::Attempts).sub(1))
        .among(Column::Id, ids.iter().copied());
    put_back(&tx, given_back, None).await?;
    tx.commit().await
}

/// Lets messages wait until `at` before the next attempt.
pub async fn postpone(store: &Store, lease: &LeasedDevice, ids: &[MessageId], at: DateTime<Utc>) -> Result<(), DbErr> {
    let tx = store.scope(lease).begin().await?;
    let postponed = queued_again(&tx).among(message::Column::Id, ids.iter().copied());
    put_back(&tx, postponed, Some(at)).await?;
    tx.commit().await
}

/// Ends a message: it will not be sent. Does nothing to one that the server took meanwhile.
pub async fn fail(
    store: &Store,
    events: &EventLog,
    lease: &LeasedDevice,
    failures: &[(MessageId, Failure)],
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let tx = store.scope(lease).begin().await?;
    let mut failed = Vec::with_capacity(failures.len());
    for (id, failure) in failures {
        failed.extend(end(&tx, message::Column::Id.eq(*id), failure, at).await?);
    }
    events.commit(tx, failed.iter().map(status_event).collect()).await?;
    super::count(message::Status::Failed, failed.len());
    Ok(())
}

/// Ends a message that the server refused.
pub async fn fail_by_whatsapp_id(
    tx: &TenantTx,
    device_id: DeviceId,
    whatsapp_id: &str,
    failure: &Failure,
    at: DateTime<Utc>,
) -> Result<Vec<message::Model>, DbErr> {
    use message::Column;
    let which = Column::DeviceId.eq(device_id).and(Column::WhatsappId.eq(whatsapp_id));
    end(
        tx,
        which.and(Column::Direction.eq(message::Direction::Out)),
        failure,
        at,
    )
    .await
}

async fn end(
    tx: &TenantTx,
    which: SimpleExpr,
    failure: &Failure,
    at: DateTime<Utc>,
) -> Result<Vec<message::Model>, DbErr> {
    use message::Column;
    let ended = tx
        .update::<message::Entity>()
        .set(Column::Status, message::Status::Failed)
        .set(Column::EndedAt, at)
        .set(Column::ErrorCode, failure.code)
        .set(
            Column::ErrorMessage,
            failure.message.chars().take(500).collect::<String>(),
        )
        .set(Column::ErrorNumber, failure.number)
        .filter(which)
        .filter(Column::Status.is_in(before(message::Status::Failed)))
        .returning()
        .await?;
    queue::leave(tx, ended.iter().map(|row| row.id)).await?;
    Ok(ended)
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable: `NOT_ON_WHATSAPP`, `INVALID_ADDRESS`, `REJECTED`, `SEND_FAILED`, `REACHOUT_TIMELOCK`.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// WhatsApp's own code of a refusal.
    pub number: Option<i32>,
}

/// Queues messages of which the engine says that their outcome is unknown.
pub async fn requeue(store: &Store, lease: &LeasedDevice, whatsapp_ids: &[String]) -> Result<(), DbErr> {
    use message::Column;
    let tx = store.scope(lease).begin().await?;
    let requeued = queued_again(&tx)
        .filter(Column::DeviceId.eq(lease.id()))
        .among(Column::WhatsappId, whatsapp_ids.iter().map(String::as_str));
    put_back(&tx, requeued, None).await?;
    tx.commit().await
}

/// Queues what was on its way when these devices' connections or the server went: it is sent again with the same id.
pub(super) async fn requeue_all(tx: &TenantTx, devices: Vec<DeviceId>) -> Result<(), DbErr> {
    for ids in chunks(queue::on_the_way(tx, devices).await?) {
        let requeued = queued_again(tx).among(message::Column::Id, ids.iter().copied());
        let requeued = put_back(tx, requeued, None).await?;
        let left: Vec<MessageId> = ids.into_iter().filter(|id| !requeued.contains(id)).collect();
        if !left.is_empty() {
            queue::reconcile(tx, &left).await?;
        }
    }
    Ok(())
}

/// SENDING → QUEUED, but for which messages.
fn queued_again(tx: &TenantTx) -> Update<'_, DatabaseTransaction, message::Entity> {
    use message::Column;
    tx.update::<message::Entity>()
        .set(Column::Status, message::Status::Queued)
        .filter(Column::Status.eq(message::Status::Sending))
}

/// Runs such an update; what it changed waits again. Answers which that were.
async fn put_back(
    tx: &TenantTx,
    queued_again: Update<'_, DatabaseTransaction, message::Entity>,
    at: Option<DateTime<Utc>>,
) -> Result<HashSet<MessageId>, DbErr> {
    let ids: Vec<(MessageId,)> = queued_again.returning_tuples([message::Column::Id]).await?;
    let ids: HashSet<MessageId> = ids.into_iter().map(|(id,)| id).collect();
    queue::put_back(tx, ids.iter().copied(), at).await?;
    Ok(ids)
}
