//! What the engine keeps for one device that this node holds.

use std::collections::HashSet;

use entity::{DeviceId, TenantId, device, engine_record};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Value,
    sea_query::{ArrayType, Expr, IntoCondition, OnConflict},
};

use super::{
    Reader, Scoped, device_value,
    pools::{Begun, Pools},
    shapes::{among, chunks, filled},
    shown::Shown,
};

/// What a device's scope is minted from: the lease that this node holds on it.
///
/// **Invariant:** it is implemented only by types with private constructors; `xtask tidy` keeps the list.
pub trait DeviceOrigin {
    /// Whose device it is.
    fn tenant_id(&self) -> TenantId;
    /// Which device it is.
    fn device_id(&self) -> DeviceId;
    /// The number of the lease: writes that carry an older one are refused.
    fn fence(&self) -> i64;
}

/// Reads and changes one device's engine records. Cheap to clone.
#[derive(Clone)]
pub struct DeviceScope {
    reader: Reader,
    tenant_id: TenantId,
    device_id: DeviceId,
    fence: i64,
}

/// A record to be put: what it is found by, and what it holds (already encrypted).
#[derive(Clone, Debug)]
pub struct Record {
    /// Which of the engine's stores it belongs to.
    pub space: i16,
    /// Unique in its space.
    pub key: Vec<u8>,
    /// The encrypted value.
    pub value: Vec<u8>,
    /// A number to search by.
    pub number: Option<i64>,
    /// Unix seconds after which it may be removed.
    pub expires_at: Option<i64>,
}

impl DeviceScope {
    pub(super) fn new(pools: Pools, tenant_id: TenantId, device_id: DeviceId, fence: i64) -> Self {
        Self {
            reader: Reader::new(pools, Shown::Everything),
            tenant_id,
            device_id,
            fence,
        }
    }

    /// Whose device it is.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Which device it is.
    pub fn device_id(&self) -> DeviceId {
        self.device_id
    }

    /// The number of the lease.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// Reads this device's records.
    pub fn find(&self) -> Scoped<'_, Reader, engine_record::Entity> {
        let mine = engine_record::Column::DeviceId.eq(device_value(self.device_id));
        Scoped::new(&self.reader, engine_record::Entity::find().filter(mine))
    }

    /// Reads single records of several devices, in one statement.
    pub async fn read_at(places: &[Place<'_>]) -> Result<Vec<engine_record::Model>, DbErr> {
        let Some((first, _, _)) = places.first() else {
            return Ok(Vec::new());
        };
        let read = engine_record::Entity::find().filter(any_of(first.reader.get_database_backend(), places));
        read.all(&first.reader).await
    }

    /// Begins a transaction, which other devices of this node may join: writers of many devices commit together.
    pub async fn begin(&self) -> Result<RecordTx, DbErr> {
        Ok(RecordTx {
            transaction: self.reader.begin().await?,
        })
    }
}

/// The most places of one statement: SQLite bounds how deep a condition may be.
const MOST_PLACES: usize = 64;

/// Where a record stands: its device, its space and its key.
pub type Place<'a> = (&'a DeviceScope, i16, &'a [u8]);

/// What stands at one of these places. Postgres is handed three lists, so that it is one statement whatever their length.
fn any_of(backend: DbBackend, places: &[Place<'_>]) -> Condition {
    use engine_record::Column;
    if backend == DbBackend::Postgres {
        let list = |kind: ArrayType, values: Vec<Value>| Value::Array(kind, Some(Box::new(values)));
        let ids = places.iter().map(|(scope, ..)| device_value(scope.device_id)).collect();
        let spaces = places.iter().map(|(_, space, _)| (*space).into()).collect();
        let keys = places.iter().map(|(.., key)| (*key).into()).collect();
        let lists = [
            list(ArrayType::Uuid, ids),
            list(ArrayType::SmallInt, spaces),
            list(ArrayType::Bytes, keys),
        ];
        let listed =
            r#"("device_id", "space", "key") IN (SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bytea[]))"#;
        return Condition::all().add(Expr::cust_with_values(listed, lists));
    }
    let place = |(scope, space, key): Place<'_>| {
        Condition::all()
            .add(Column::DeviceId.eq(device_value(scope.device_id)))
            .add(Column::Space.eq(space))
            .add(Column::Key.eq(key))
    };
    filled(places.iter().copied())
        .into_iter()
        .fold(Condition::any(), |any, one| any.add(place(one)))
}

/// A transaction over engine records. Every call names the device it is for.
pub struct RecordTx {
    transaction: Begun,
}

impl RecordTx {
    /// Which of these devices are still under the lease that their scope was minted from: devices and their fences.
    pub async fn held(
        &self,
        scopes: impl IntoIterator<Item = &DeviceScope>,
    ) -> Result<HashSet<(DeviceId, i64)>, DbErr> {
        let ids: HashSet<DeviceId> = scopes.into_iter().map(|scope| scope.device_id).collect();
        let fences: Vec<(DeviceId, Option<i64>)> = device::Entity::find()
            .filter(among(self.transaction.get_database_backend(), device::Column::Id, ids))
            .select_only()
            .columns([device::Column::Id, device::Column::LeaseFence])
            .into_tuple()
            .all(&*self.transaction)
            .await?;
        Ok(fences
            .into_iter()
            .filter_map(|(id, fence)| Some((id, fence?)))
            .collect())
    }

    /// Reads a device's records within the transaction.
    pub fn find(&self, scope: &DeviceScope) -> Scoped<'_, DatabaseTransaction, engine_record::Entity> {
        let mine = engine_record::Column::DeviceId.eq(device_value(scope.device_id));
        Scoped::new(&*self.transaction, engine_record::Entity::find().filter(mine))
    }

    /// Puts records, replacing those with the same space and key. Devices may be mixed in one call.
    pub async fn put(&self, records: impl IntoIterator<Item = (&DeviceScope, Record)>) -> Result<(), DbErr> {
        use engine_record::Column;
        let rows: Vec<_> = records
            .into_iter()
            .map(|(scope, record)| engine_record::ActiveModel {
                device_id: Set(scope.device_id),
                space: Set(record.space),
                key: Set(record.key),
                value: Set(record.value),
                number: Set(record.number),
                expires_at: Set(record.expires_at),
            })
            .collect();
        let replace = OnConflict::columns([Column::DeviceId, Column::Space, Column::Key])
            .update_columns([Column::Value, Column::Number, Column::ExpiresAt])
            .to_owned();
        for chunk in chunks(rows) {
            let insert = engine_record::Entity::insert_many(chunk).on_conflict(replace.clone());
            insert.exec_without_returning(&*self.transaction).await?;
        }
        Ok(())
    }

    /// Deletes a device's records that meet `condition`; answers how many.
    pub async fn delete(&self, scope: &DeviceScope, condition: impl IntoCondition) -> Result<u64, DbErr> {
        let delete = engine_record::Entity::delete_many()
            .filter(engine_record::Column::DeviceId.eq(device_value(scope.device_id)))
            .filter(condition.into_condition());
        Ok(delete.exec(&*self.transaction).await?.rows_affected)
    }

    /// Deletes single records, of several devices in one statement.
    pub async fn delete_at(&self, places: &[Place<'_>]) -> Result<(), DbErr> {
        let backend = self.transaction.get_database_backend();
        for some in places.chunks(MOST_PLACES) {
            let delete = engine_record::Entity::delete_many().filter(any_of(backend, some));
            delete.exec(&*self.transaction).await?;
        }
        Ok(())
    }

    /// Deletes everything of a device.
    pub async fn delete_all(&self, scope: &DeviceScope) -> Result<u64, DbErr> {
        self.delete(scope, Condition::all()).await
    }

    /// Keeps everything that was done.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}
