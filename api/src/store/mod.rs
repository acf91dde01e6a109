//! The database, reachable only with a tenant in hand.
//!
//! Owns the connection pool and the types that guard it. Knows no domain, and no rule about who may do what: that is
//! decided before a scope is made.
//!
//! **Invariant:** a query cannot be written without a tenant. [`TenantScope`] and [`TenantTx`] filter what they read and
//! write; neither gives out its connection. Work across tenants goes through [`SystemScope`], which wants a reason.
//!
//! **Invariant:** on SQLite there is one writing connection and there are several reading ones. A transaction never waits
//! for a reader, and whoever needs to see uncommitted rows reads through the transaction.

mod batcher;
mod batchers;
pub mod cipher;
mod device_scope;
mod open;
mod persist;
mod pools;
mod scoped;
mod shapes;
mod shown;
mod system_scope;
pub mod tables;
mod tenant_scope;
mod tenant_tx;
#[cfg(test)]
mod tests;
mod update;

pub use batcher::{Batcher, Stopped, by_tenant};
pub use batchers::Batchers;
pub use device_scope::{DeviceOrigin, DeviceScope, Place, Record, RecordTx};
pub use open::{DatabaseOptions, OpenError};
pub use persist::{is_taken, until_written};
pub use pools::Reader;
pub use scoped::Scoped;
pub use shapes::{chunks, filled};
pub use system_scope::{Reason, SystemScope, SystemTx};
pub use tenant_scope::{Reach, ScopeOrigin, TenantScope};
pub use tenant_tx::TenantTx;
pub use update::Update;

use entity::{DeviceId, TenantId};
use sea_orm::{ConnectionTrait, DbErr};

use self::{pools::Pools, shown::Shown};

/// The database of this process. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
}

impl Store {
    /// What `origin` may see and change: one tenant.
    pub fn scope(&self, origin: &impl ScopeOrigin) -> TenantScope {
        TenantScope::new(self.pools.clone(), Reach::of(origin))
    }

    /// What the engine may see and change for a device that this node holds.
    pub fn device_scope(&self, origin: &impl DeviceOrigin) -> DeviceScope {
        DeviceScope::new(
            self.pools.clone(),
            origin.tenant_id(),
            origin.device_id(),
            origin.fence(),
        )
    }

    /// Everything, for work that is nobody's in particular.
    pub fn system(&self, reason: Reason) -> SystemScope {
        SystemScope::new(self.pools.clone(), reason)
    }

    /// How many transactions can usefully write at the same time.
    fn writers(&self) -> usize {
        self.pools.writers()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        let reader = Reader::new(self.pools.clone(), Shown::Everything);
        reader.execute_unprepared("SELECT 1").await.map(|_| ())
    }

    /// Closes every connection, after the last write is done.
    pub async fn close(self) -> Result<(), DbErr> {
        self.pools.close().await
    }
}

/// The column value of a tenant's id.
fn tenant_value(id: TenantId) -> sea_orm::Value {
    id.into()
}

/// The column value of a device's id.
fn device_value(id: DeviceId) -> sea_orm::Value {
    id.into()
}
