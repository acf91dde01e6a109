//! One tenant's part of the database.

use std::sync::Arc;

use entity::{AppendOnly, DeviceId, TenantId, TenantOwned};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, DbErr, QueryFilter, Value};

use super::{Reader, Scoped, TenantTx, device_value, pools::Pools, shown::Shown, tenant_value};

/// What a scope is minted from: something that was earned, such as an authenticated request or a claimed lease.
///
/// **Invariant:** it is implemented only by types with private constructors; `xtask tidy` keeps the list.
pub trait ScopeOrigin {
    /// Whose rows it opens.
    fn tenant_id(&self) -> TenantId;

    /// The only devices whose rows it opens; `None` is all of the tenant's.
    fn devices(&self) -> Option<Arc<[DeviceId]>> {
        None
    }
}

/// Which rows a scope opens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    /// One tenant's.
    pub(super) tenant_id: TenantId,
    /// And of these devices only.
    pub(super) devices: Option<Arc<[DeviceId]>>,
}

impl Reach {
    /// What was earned.
    pub(super) fn of(origin: &impl ScopeOrigin) -> Self {
        Self {
            tenant_id: origin.tenant_id(),
            devices: origin.devices(),
        }
    }

    /// The filter that every query of a table carries.
    pub(super) fn condition<E: TenantOwned>(&self) -> Condition {
        let mine = Condition::all().add(E::TENANT.eq(tenant_value(self.tenant_id)));
        match (&self.devices, E::DEVICE) {
            (Some(devices), Some(column)) => mine.add(column.is_in(devices.iter().map(|id| device_value(*id)))),
            _ => mine,
        }
    }

    /// Whether a row that is about to be written lies within.
    pub(super) fn admits<E, A>(&self, row: &A) -> bool
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E>,
    {
        let (Some(devices), Some(column)) = (&self.devices, E::DEVICE) else {
            return true;
        };
        match row.get(column).into_value() {
            // What belongs to no device, such as an event about the tenant.
            None | Some(Value::Uuid(None)) => true,
            Some(value) => devices.iter().any(|id| device_value(*id) == value),
        }
    }
}

/// Reads one tenant's rows, and begins transactions that change them. Cheap to clone.
#[derive(Clone)]
pub struct TenantScope {
    reader: Reader,
    reach: Reach,
}

impl TenantScope {
    pub(super) fn new(pools: Pools, reach: Reach) -> Self {
        let reader = Reader::new(pools, Shown::Tenant(reach.tenant_id));
        Self { reader, reach }
    }

    /// Whose rows these are.
    pub fn tenant_id(&self) -> TenantId {
        self.reach.tenant_id
    }

    /// Which rows it opens: scopes of equal reach may share a transaction.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Reads a table: this tenant's rows only, and of its devices only those that the scope reaches.
    pub fn find<E: TenantOwned>(&self) -> Scoped<'_, Reader, E> {
        Scoped::new(&self.reader, E::find().filter(self.reach.condition::<E>()))
    }

    /// Reads one row by its id, if it is this tenant's.
    pub async fn find_by_id<E: TenantOwned>(&self, id: impl Into<Value>) -> Result<Option<E::Model>, DbErr> {
        self.find::<E>().filter(E::ID.eq(id.into())).one().await
    }

    /// Reads a log: this tenant's rows only.
    pub fn find_logged<E: AppendOnly>(&self) -> Scoped<'_, Reader, E> {
        let select = E::find().filter(E::TENANT.eq(tenant_value(self.reach.tenant_id)));
        Scoped::new(&self.reader, select)
    }

    /// What queries of this module's neighbours run on.
    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<TenantTx, DbErr> {
        Ok(TenantTx::new(self.reader.begin().await?, self.reach.clone()))
    }
}

impl std::fmt::Debug for TenantScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantScope")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}
