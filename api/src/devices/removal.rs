//! Stopping every device of a tenant that is being deleted.

use std::time::Duration;

use entity::device;
use sea_orm::{ColumnTrait, DbErr, Order};

use super::{Devices, LeasedDevice};
use crate::store::{ScopeOrigin, TenantScope};

/// How long WhatsApp may take to unlink a device; after that it is removed on the phone.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many devices are read at once.
const PAGE: u64 = 50;

impl Devices {
    /// Unlinks at WhatsApp what is connected, stops it and deletes its credentials. Answers whether all are stopped: a
    /// device that another node holds is left to that node. What was done half is done again.
    pub async fn remove_all(&self, of: &impl ScopeOrigin) -> Result<bool, DbErr> {
        use device::Column;
        let scope = self.parts.store.scope(of);
        let mut after = None;
        let mut all = true;
        loop {
            let mut query = scope.find::<device::Entity>().order_by(Column::Id, Order::Asc);
            if let Some(after) = after {
                query = query.filter(Column::Id.gt(after));
            }
            let rows = query.limit(PAGE).all().await?;
            let Some(last) = rows.last() else { return Ok(all) };
            after = Some(last.id);
            for row in rows {
                match self.parts.leases.take(row.id).await? {
                    Some(lease) => all &= self.remove(&scope, &row, lease).await?,
                    None => all = false,
                }
            }
        }
    }

    async fn remove(&self, scope: &TenantScope, row: &device::Model, lease: LeasedDevice) -> Result<bool, DbErr> {
        // First of all: a server that stops in between must not connect it again.
        let tx = scope.begin().await?;
        tx.update::<device::Entity>()
            .set(device::Column::Wanted, false)
            .filter(device::Column::Id.eq(row.id))
            .execute()
            .await?;
        tx.commit().await?;
        if row.linked {
            let unlinked = tokio::time::timeout(PATIENCE, self.parts.engine.logout(row.id)).await;
            if !matches!(unlinked, Ok(Ok(()))) {
                tracing::info!(device = %row.id, "a device of a deleted tenant could not be unlinked at WhatsApp");
            }
        }
        if let Err(error) = self.parts.engine.wipe(self.parts.store.device_scope(&lease)).await {
            tracing::warn!(device = %row.id, %error, "a device of a deleted tenant could not be stopped yet");
            return Ok(false);
        }
        self.parts.linking.clear(row.id);
        self.parts.leases.release(row.id).await?;
        Ok(true)
    }
}
