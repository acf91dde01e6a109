//! One tenant's part of the database.

use entity::{AppendOnly, TenantId, TenantOwned};
use sea_orm::{ColumnTrait, DbErr, QueryFilter, Value};

use super::{Pools, Scoped, TenantTx, system_scope, tenant_value};

/// What a scope is minted from: something that was earned, such as an authenticated request or a claimed lease.
///
/// **Invariant:** it is implemented only by types with private constructors; `xtask tidy` keeps the list.
pub trait ScopeOrigin {
    /// Whose rows it opens.
    fn tenant_id(&self) -> TenantId;
}

/// Reads one tenant's rows, and begins transactions that change them. Cheap to clone.
#[derive(Clone)]
pub struct TenantScope {
    pools: Pools,
    tenant_id: TenantId,
}

impl TenantScope {
    pub(super) fn new(pools: Pools, tenant_id: TenantId) -> Self {
        Self { pools, tenant_id }
    }

    /// Whose rows these are.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Reads a table: this tenant's rows only.
    #[expect(clippy::disallowed_types, reason = "named in a type, never handed out")]
    pub fn find<E: TenantOwned>(&self) -> Scoped<'_, sea_orm::DatabaseConnection, E> {
        let select = E::find().filter(E::TENANT.eq(tenant_value(self.tenant_id)));
        Scoped::new(&self.pools.read, select)
    }

    /// Reads one row by its id, if it is this tenant's.
    pub async fn find_by_id<E: TenantOwned>(&self, id: impl Into<Value>) -> Result<Option<E::Model>, DbErr> {
        self.find::<E>().filter(E::ID.eq(id.into())).one().await
    }

    /// Reads a log: this tenant's rows only.
    #[expect(clippy::disallowed_types, reason = "named in a type, never handed out")]
    pub fn find_logged<E: AppendOnly>(&self) -> Scoped<'_, sea_orm::DatabaseConnection, E> {
        let select = E::find().filter(E::TENANT.eq(tenant_value(self.tenant_id)));
        Scoped::new(&self.pools.read, select)
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<TenantTx, DbErr> {
        let transaction = system_scope::begin_writing(&self.pools).await?;
        Ok(TenantTx::new(transaction, self.tenant_id))
    }
}

impl std::fmt::Debug for TenantScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantScope")
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}
