//! What the engine's news does to a device.
//!
//! News of many devices that arrive at the same moment share one transaction per tenant, and carry its moment; rows that
//! change alike are one statement: when hundreds of devices reconnect after a restart, that is a handful of each.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use entity::{DeviceId, device, event};
use sea_orm::{ActiveEnum, ColumnTrait, DbErr, Value};
use serde_json::json;

use super::{
    LeasedDevice, Leases,
    pairing::{Linking, PairingCode, Qr},
    types::{Change, next},
};
use crate::{
    audit::{self, Action, Actor, Entry},
    engine::EventKind,
    events::{EventLog, NewEvent},
    store::{Batcher, DeviceOrigin, Stopped, Store, TenantTx, by_tenant, until_written},
};

/// So far apart begin batches of news that follow each other closely. News after a pause waits for nothing.
const LINGER: Duration = Duration::from_millis(20);

/// One piece of news about a device that this node holds.
#[derive(Clone, Debug)]
pub struct News {
    lease: LeasedDevice,
    at: DateTime<Utc>,
    kind: EventKind,
}

/// Takes the engine's news about devices. Cheap to clone.
#[derive(Clone)]
pub struct StatusKeeper {
    leases: Leases,
    linking: Linking,
    batcher: Batcher<News, ()>,
}

impl StatusKeeper {
    /// Starts the task that writes.
    pub fn start(store: Store, events: EventLog, leases: Leases, linking: Linking) -> Self {
        let batcher = Batcher::start(256, LINGER, move |news: Vec<News>| {
            let (store, events) = (store.clone(), events.clone());
            async move {
                let count = news.len();
                for (tenant_id, news) in by_tenant(news, |piece| piece.lease.tenant()) {
                    if let Err(error) = until_written(&store, || write(&store, &events, &news)).await {
                        tracing::error!(%error, tenant = %tenant_id, "could not record the status of devices");
                    }
                }
                vec![(); count]
            }
        });
        Self {
            leases,
            linking,
            batcher,
        }
    }

    /// Takes one piece of news. Returns when it is queued; news of one device keeps its order.
    pub async fn tell(&self, id: DeviceId, fence: i64, at: DateTime<Utc>, kind: EventKind) -> Result<(), Stopped> {
        let Some(lease) = self.leases.with_fence(id, fence) else {
            return Ok(());
        };
        self.show_codes(id, &kind);
        self.batcher.enqueue(News { lease, at, kind }).await.map(|_| ())
    }

    /// Waits until everything that was told before is written.
    pub async fn flushed(&self) {
        self.batcher.flushed().await;
    }

    fn show_codes(&self, id: DeviceId, kind: &EventKind) {
        match kind {
            EventKind::Qr { text, expires_at } => {
                self.linking.set_qr(
                    id,
                    Qr {
                        text: text.clone(),
                        expires_at: *expires_at,
                    },
                );
            }
            EventKind::PairingCode { code, expires_at } => {
                self.linking.set_pairing_code(
                    id,
                    PairingCode {
                        code: code.clone(),
                        expires_at: *expires_at,
                    },
                );
            }
            EventKind::Connecting { .. } | EventKind::Degraded { .. } | EventKind::Recovered | EventKind::Activity => {}
            _ => self.linking.clear(id),
        }
    }
}

async fn write(store: &Store, events: &EventLog, news: &[News]) -> Result<(), DbErr> {
    let Some((first, at)) = news.first().zip(news.iter().map(|piece| piece.at).max()) else {
        return Ok(());
    };
    let tx = store.scope(&first.lease).begin().await?;
    let ids: Vec<DeviceId> = news.iter().map(|piece| piece.lease.id()).collect();
    let rows = tx.find::<device::Entity>().among(device::Column::Id, ids).all().await?;
    let mut devices: HashMap<DeviceId, device::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    let before = devices.clone();
    let mut told = Vec::new();
    for piece in news {
        if let Some(row) = devices
            .get_mut(&piece.lease.id())
            .filter(|row| row.lease_fence == piece.lease.fence())
        {
            told.extend(apply(row, &piece.kind, at));
        }
    }
    for row in devices.values() {
        if row.linked && before.get(&row.id).is_some_and(|old| !old.linked) {
            let entry = Entry::of(Action::DeviceLinked, &row.id).named(&row.name);
            audit::record(&tx, at, &Actor::system(), entry).await?;
        }
    }
    save(&tx, &before, devices).await?;
    events.commit(tx, told).await
}

/// Folds one piece of news into the row; answers the event to tell, if it is worth one.
fn apply(row: &mut device::Model, kind: &EventKind, at: DateTime<Utc>) -> Option<NewEvent> {
    let (change, reason) = match kind {
        EventKind::Connecting { attempt } => {
            row.connection_attempts = i32::try_from(*attempt).unwrap_or(i32::MAX);
            (Change::Connecting, None)
        }
        EventKind::Qr { .. } | EventKind::PairingCode { .. } => {
            // A fresh code is news even when the state stays the same.
            if move_to(row, Change::CodeReady, None, at).is_none() {
                return Some(NewEvent::of_device(
                    event::Type::DeviceQr,
                    row.id,
                    serde_json::Value::Null,
                ));
            }
            return Some(status_event(row));
        }
        EventKind::Paired {
            jid,
            lid,
            phone_number,
            platform,
            push_name,
        } => {
            row.linked = true;
            row.jid = Some(jid.clone());
            row.lid = lid.clone().or(row.lid.take());
            row.phone_number = Some(format!("+{phone_number}"));
            row.platform = platform.clone().or(row.platform.take());
            row.push_name = push_name.clone().or(row.push_name.take());
            (Change::Paired, None)
        }
        EventKind::Connected { jid, lid, push_name } => {
            row.linked = true;
            row.jid = Some(jid.clone());
            row.lid = lid.clone().or(row.lid.take());
            row.push_name = push_name
                .clone()
                .filter(|name| !name.is_empty())
                .or(row.push_name.take());
            row.connection_attempts = 0;
            row.last_connected_at = Some(at);
            row.last_activity_at = Some(at);
            (Change::Connected, None)
        }
        EventKind::Activity => {
            row.last_activity_at = Some(at);
            return None;
        }
        EventKind::Degraded { reason } => (Change::Degraded, Some(reason.clone())),
        EventKind::Recovered => (Change::Recovered, None),
        EventKind::Disconnected { reason, retry_at } => {
            if retry_at.is_none() && row.wanted && !row.linked {
                row.wanted = false;
            }
            (Change::Disconnected, Some(reason.clone()))
        }
        EventKind::QrExhausted => {
            row.wanted = false;
            (
                Change::Disconnected,
                Some("No phone scanned the code in time. Connect again for a fresh one.".into()),
            )
        }
        EventKind::LoggedOut { reason } => {
            row.linked = false;
            row.wanted = false;
            (Change::LoggedOut, Some(reason.clone()))
        }
        EventKind::Banned { reason, .. } => (Change::Banned, Some(reason.clone())),
        EventKind::Failed { reason } | EventKind::PairFailed { reason } => (Change::Failed, Some(reason.clone())),
        _ => return None,
    };
    move_to(row, change, reason, at).map(|()| status_event(row))
}

fn move_to(row: &mut device::Model, change: Change, reason: Option<String>, at: DateTime<Utc>) -> Option<()> {
    let status = next(row.status, change)?;
    row.status = status;
    row.status_reason = reason.map(|reason| reason.chars().take(500).collect());
    row.status_since = at;
    Some(())
}

/// The event that tells of a device's status as it stands in the row.
pub(super) fn status_event(row: &device::Model) -> NewEvent {
    let data = json!({ "status": row.status.to_value(), "reason": row.status_reason });
    NewEvent::of_device(event::Type::DeviceStatus, row.id, data)
}

/// Writes what news changed, under the leases that the rows were read with. Rows that changed alike are one statement.
async fn save(
    tx: &TenantTx,
    before: &HashMap<DeviceId, device::Model>,
    after: HashMap<DeviceId, device::Model>,
) -> Result<(), DbErr> {
    let mut alike: Vec<(i64, Kept<Option<Value>>, Vec<DeviceId>)> = Vec::new();
    for (id, row) in after {
        let fence = row.lease_fence;
        let Some(old) = before.get(&id) else { continue };
        let mut old = kept(old.clone()).into_iter();
        let changes = kept(row).map(|value| Some(value).filter(|value| old.next().as_ref() != Some(value)));
        if changes.iter().all(Option::is_none) {
            continue;
        }
        match alike.iter_mut().find(|one| one.0 == fence && one.1 == changes) {
            Some((_, _, ids)) => ids.push(id),
            None => alike.push((fence, changes, vec![id])),
        }
    }
    for (fence, changes, ids) in alike {
        let mut update = tx.update::<device::Entity>();
        for (column, value) in KEPT.into_iter().zip(changes) {
            if let Some(value) = value {
                update = update.set(column, value);
            }
        }
        update
            .among(device::Column::Id, ids)
            .filter(device::Column::LeaseFence.eq(fence))
            .execute()
            .await?;
    }
    Ok(())
}

type Kept<T> = [T; 13];

/// What news can change.
const KEPT: Kept<device::Column> = {
    use device::Column;
    [
        Column::Status,
        Column::StatusReason,
        Column::StatusSince,
        Column::Wanted,
        Column::Linked,
        Column::PhoneNumber,
        Column::PushName,
        Column::Jid,
        Column::Lid,
        Column::Platform,
        Column::ConnectionAttempts,
        Column::LastConnectedAt,
        Column::LastActivityAt,
    ]
};

/// What stands in these columns.
fn kept(row: device::Model) -> Kept<Value> {
    [
        row.status.into(),
        row.status_reason.into(),
        row.status_since.into(),
        row.wanted.into(),
        row.linked.into(),
        row.phone_number.into(),
        row.push_name.into(),
        row.jid.into(),
        row.lid.into(),
        row.platform.into(),
        row.connection_attempts.into(),
        row.last_connected_at.into(),
        row.last_activity_at.into(),
    ]
}
