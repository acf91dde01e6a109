//! Work that belongs to no tenant: logins, the restoring of devices at start, leases, clean-up.

use sea_orm::{
    DatabaseTransaction, DbErr, EntityTrait, Selector, SelectorTrait, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::{Pools, Reach, ScopeOrigin, Scoped, TenantTx};

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
    pools: Pools,
}

impl SystemScope {
    pub(super) fn new(pools: Pools, reason: Reason) -> Self {
        tracing::trace!(?reason, "system scope opened");
        Self { pools }
    }

    /// Reads a table: everybody's rows.
    #[expect(clippy::disallowed_types, reason = "named in a type, never handed out")]
    pub fn find<E: EntityTrait>(&self) -> Scoped<'_, sea_orm::DatabaseConnection, E> {
        Scoped::new(&self.pools.read, E::find())
    }

    /// Runs a prepared selection, such as a join, and answers its first row. Selections only read.
    pub async fn one<S: SelectorTrait>(&self, selection: Selector<S>) -> Result<Option<S::Item>, DbErr> {
        selection.one(&self.pools.read).await
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<SystemTx, DbErr> {
        Ok(SystemTx {
            transaction: begin_writing(&self.pools).await?,
        })
    }
}

/// A transaction over rows of every tenant. Use [`SystemTx::connection`] as SeaORM's connection.
pub struct SystemTx {
    transaction: DatabaseTransaction,
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

/// Begins a transaction that writes. SQLite takes its write lock at once, so that it never has to upgrade one.
pub(super) async fn begin_writing(pools: &Pools) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    pools.write.begin_with_options(options).await
}
