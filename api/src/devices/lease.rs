//! Which devices this node holds, and by which lease.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{DeviceId, TenantId, device};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{
    clock::Clock,
    store::{DeviceOrigin, Reason, ScopeOrigin, Store},
};

/// How long a lease holds without being renewed.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// A device that this node holds. Made only by [`Leases`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeasedDevice {
    tenant_id: TenantId,
    device_id: DeviceId,
    fence: i64,
}

impl ScopeOrigin for LeasedDevice {
    fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }
}

impl DeviceOrigin for LeasedDevice {
    fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    fn device_id(&self) -> DeviceId {
        self.device_id
    }

    fn fence(&self) -> i64 {
        self.fence
    }
}

impl LeasedDevice {
    /// Which device it is.
    pub fn id(&self) -> DeviceId {
        self.device_id
    }

    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant_id
    }

    /// The lease's number.
    pub fn number(&self) -> i64 {
        self.fence
    }
}

/// The leases that this node holds. Cheap to clone.
#[derive(Clone)]
pub struct Leases {
    store: Store,
    clock: Clock,
    node: Arc<str>,
    held: Arc<RwLock<HashMap<DeviceId, LeasedDevice>>>,
}

impl Leases {
    /// No lease yet. `node` names this process and no other.
    pub fn new(store: Store, clock: Clock, node: impl Into<Arc<str>>) -> Self {
        Self {
            store,
            clock,
            node: node.into(),
            held: Arc::default(),
        }
    }

    /// The lease on a device, if this node holds it.
    pub fn get(&self, id: DeviceId) -> Option<LeasedDevice> {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied()
    }

    /// The lease on a device, if it is the one with this number.
    pub fn with_fence(&self, id: DeviceId, fence: i64) -> Option<LeasedDevice> {
        self.get(id).filter(|lease| lease.fence == fence)
    }

    /// Takes the lease on a device that is free, expired or already this node's. `None`: another node holds it.
    pub async fn take(&self, id: DeviceId) -> Result<Option<LeasedDevice>, DbErr> {
        if let Some(lease) = self.get(id) {
            return Ok(Some(lease));
        }
        Ok(self.claim(device::Column::Id.eq(id)).await?.into_iter().next())
    }

    /// Takes every device that should be connected and that nobody holds.
    pub async fn take_wanted(&self) -> Result<Vec<LeasedDevice>, DbErr> {
        self.claim(device::Column::Wanted.eq(true)).await
    }

    /// Gives a device up.
    pub async fn release(&self, id: DeviceId) -> Result<(), DbErr> {
        let lease = self.held.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let Some(lease) = lease else { return Ok(()) };
        self.set_expiry(
            device::Column::Id
                .eq(id)
                .and(device::Column::LeaseFence.eq(lease.fence)),
            None,
        )
        .await
    }

    /// Gives every device up, so that a restarted server need not wait for the leases to expire.
    pub async fn release_all(&self) -> Result<(), DbErr> {
        self.held.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.set_expiry(device::Column::LeaseNode.eq(&*self.node), None).await
    }

    /// Keeps this node's leases alive. Call it several times per minute.
    pub async fn renew(&self) -> Result<(), DbErr> {
        let until = self.clock.now() + LEASE;
        self.set_expiry(device::Column::LeaseNode.eq(&*self.node), Some(until))
            .await
    }

    async fn claim(&self, which: sea_orm::sea_query::SimpleExpr) -> Result<Vec<LeasedDevice>, DbErr> {
        use device::Column;
        let now = self.clock.now();
        let free = Column::LeaseNode
            .is_null()
            .or(Column::LeaseExpiresAt.is_null())
            .or(Column::LeaseExpiresAt.lt(now))
            .or(Column::LeaseNode.eq(&*self.node));
        let tx = self.store.system(Reason::DeviceLeases).begin().await?;
        let rows = device::Entity::update_many()
            .col_expr(Column::LeaseNode, Expr::value(&*self.node))
            .col_expr(Column::LeaseFence, Expr::col(Column::LeaseFence).add(1))
            .col_expr(Column::LeaseExpiresAt, Expr::value(now + LEASE))
            .filter(which)
            .filter(free)
            .exec_with_returning(tx.connection())
            .await?;
        tx.commit().await?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        Ok(rows
            .into_iter()
            .map(|row| {
                let lease = LeasedDevice {
                    tenant_id: row.tenant_id,
                    device_id: row.id,
                    fence: row.lease_fence,
                };
                held.insert(row.id, lease);
                lease
            })
            .collect())
    }

    async fn set_expiry(
        &self,
        which: sea_orm::sea_query::SimpleExpr,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), DbErr> {
        let tx = self.store.system(Reason::DeviceLeases).begin().await?;
        device::Entity::update_many()
            .col_expr(device::Column::LeaseExpiresAt, Expr::value(until))
            .filter(which)
            .exec(tx.connection())
            .await?;
        tx.commit().await
    }
}
