//! Reads of the event log.

use entity::{event, event_sequence};
use sea_orm::{ColumnTrait, Condition, DbErr, Order};

use super::EventFilter;
use crate::store::TenantScope;

/// The newest number of the tenant's log; 0 when it is empty.
pub async fn newest(scope: &TenantScope) -> Result<i64, DbErr> {
    let row = scope.find::<event_sequence::Entity>().one().await?;
    Ok(row.map_or(0, |row| row.last))
}

/// The events after `after`, up to and with `until`, at most `limit`.
pub async fn after(
    scope: &TenantScope,
    after: i64,
    until: i64,
    filter: &EventFilter,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    scope
        .find::<event::Entity>()
        .filter(event::Column::Sequence.gt(after))
        .filter(event::Column::Sequence.lte(until))
        .filter(condition(filter))
        .order_by(event::Column::Sequence, Order::Asc)
        .limit(limit)
        .all()
        .await
}

/// What a filter means in SQL.
pub fn condition(filter: &EventFilter) -> Condition {
    let mut condition = Condition::all();
    if !filter.types.is_empty() {
        condition = condition.add(event::Column::Type.is_in(filter.types.iter().copied()));
    }
    if let Some(device_id) = filter.device_id {
        condition = condition.add(event::Column::DeviceId.eq(device_id));
    }
    condition
}
