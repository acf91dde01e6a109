//! Work that belongs to no tenant: logins, the restoring of devices at start, leases, clean-up.

use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Selector, SelectorTrait};

use super::{
    Reach, Reader, ScopeOrigin, Scoped, TenantTx,
    pools::{Begun, Pools},
    shown::Shown,
};

/// Why somebody works across tenants. Each variant is a place that was thought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Find out who calls: people, sessions and memberships, before a tenant is known.
    Authentication,
    /// Read, rotate and use the server's own keys.
    Keys,
    /// Make the first operator and tenant, or another operator from the command line.
    Provisioning,
    /// Find out what a tenant may do and use, for its own requests.
    TenantProfiles,
    /// Find, take and keep the devices that this node runs.
    DeviceLeases,
    /// Read and write the platform's settings, and put every node's counters together.
    RateLimits,
    /// An operator looks after tenants and plans.
    Platform,
    /// Delete what is left of a tenant.
    Deletion,
    /// Say in a tenant's export who its members are.
    Export,
    /// Tell an operator or a monitor how the whole platform does.
    Monitoring,
}

/// Reads and changes rows of every tenant.
pub struct SystemScope {
    reader: Reader,
}

impl SystemScope {
    pub(super) fn new(pools: Pools, reason: Reason) -> Self {
        tracing::trace!(?reason, "system scope opened");
        let reader = Reader::new(pools, Shown::Everything);
        Self { reader }
    }

    /// Reads a table: everybody's rows.
    pub fn find<E: EntityTrait>(&self) -> Scoped<'_, Reader, E> {
        Scoped::new(&self.reader, E::find())
    }

    /// Runs a prepared selection, such as a join, and answers its first row. Selections only read.
    pub async fn one<S: SelectorTrait>(&self, selection: Selector<S>) -> Result<Option<S::Item>, DbErr> {
        selection.one(&self.reader).await
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<SystemTx, DbErr> {
        Ok(SystemTx {
            transaction: self.reader.begin().await?,
        })
    }
}

/// A transaction over rows of every tenant. Use [`SystemTx::connection`] as SeaORM's connection.
pub struct SystemTx {
    transaction: Begun,
}

impl SystemTx {
    /// What SeaORM's queries run on.
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Goes on over one tenant's rows only, once it is known whose the rest is.
    pub fn narrow(self, origin: &impl ScopeOrigin) -> TenantTx {
        TenantTx::new(self.transaction, Reach::of(origin))
    }

    /// Keeps everything that was done.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}
