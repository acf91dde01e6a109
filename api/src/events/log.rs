//! Where events are made durable.

use entity::event;
use sea_orm::{
    ActiveValue::Set,
    DbErr, ExprTrait,
    sea_query::{Expr, OnConflict},
};

use super::{Bus, NewEvent};
use crate::{clock::Clock, store::TenantTx};

/// Numbers events, writes them and announces them. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    clock: Clock,
    bus: Bus,
}

impl EventLog {
    /// A log that announces on `bus`.
    pub fn new(clock: Clock, bus: Bus) -> Self {
        Self { clock, bus }
    }

    /// Where it announces.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Writes `events` at the end of the tenant's log, commits the transaction, and tells whoever listens.
    pub async fn commit(&self, tx: TenantTx, events: Vec<NewEvent>) -> Result<(), DbErr> {
        if events.is_empty() {
            return tx.commit().await;
        }
        let tenant_id = tx.tenant_id();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let last = take_numbers(&tx, count).await?;
        let at = self.clock.now();
        let rows = events
            .into_iter()
            .zip(last - count + 1..)
            .map(|(event, sequence)| event::ActiveModel {
                tenant_id: Set(tenant_id),
                sequence: Set(sequence),
                r#type: Set(event.r#type),
                at: Set(at),
                device_id: Set(event.device_id),
                chat_id: Set(event.chat_id),
                message_id: Set(event.message_id),
                data: Set(event.data),
            });
        tx.insert_many::<event::Entity, _>(rows.collect()).await?;
        tx.commit().await?;
        self.bus.announce(tenant_id, last);
        Ok(())
    }
}

/// Takes the next `count` numbers; answers the last of them. The tenant's row stays locked until the commit.
async fn take_numbers(tx: &TenantTx, count: i64) -> Result<i64, DbErr> {
    use entity::event_sequence::{ActiveModel, Column, Entity};
    let grow = OnConflict::column(Column::TenantId)
        .value(Column::Last, Expr::col((Entity, Column::Last)).add(count))
        .to_owned();
    let row = ActiveModel {
        tenant_id: Set(tx.tenant_id()),
        last: Set(count),
    };
    let rows = tx.upsert_many::<Entity, _>(vec![row], grow).await?;
    rows.first().map(|row| row.last).ok_or_else(|| DbErr::RecordNotInserted)
}
