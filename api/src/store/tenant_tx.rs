//! A transaction over one tenant's rows.

use entity::{AppendOnly, TenantId, TenantOwned};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, IntoActiveModel, QueryFilter, Value,
    sea_query::{IntoCondition, OnConflict},
};

use super::{
    Reach, Scoped, Update,
    pools::Begun,
    shapes::{among, chunks},
    tenant_value,
};

/// Changes one tenant's rows; nothing is kept until [`TenantTx::commit`], dropping it undoes everything.
///
/// **Invariant:** what is inserted belongs to this tenant, whatever the caller put into the tenant column; what is read,
/// updated or deleted is filtered to it.
pub struct TenantTx {
    transaction: Begun,
    reach: Reach,
}

impl TenantTx {
    pub(super) fn new(transaction: Begun, reach: Reach) -> Self {
        Self { transaction, reach }
    }

    /// Whose rows these are.
    pub fn tenant_id(&self) -> TenantId {
        self.reach.tenant_id
    }

    /// Reads a table within the transaction.
    pub fn find<E: TenantOwned>(&self) -> Scoped<'_, DatabaseTransaction, E> {
        Scoped::new(&*self.transaction, E::find().filter(self.reach.condition::<E>()))
    }

    /// Reads one row by its id, if it is this tenant's.
    pub async fn find_by_id<E: TenantOwned>(&self, id: impl Into<Value>) -> Result<Option<E::Model>, DbErr> {
        self.find::<E>().filter(E::ID.eq(id.into())).one().await
    }

    /// Inserts a row.
    pub async fn insert<E, A>(&self, mut row: A) -> Result<E::Model, DbErr>
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        row.set(E::TENANT, tenant_value(self.reach.tenant_id));
        self.check::<E, A>(std::slice::from_ref(&row))?;
        E::insert(row).exec_with_returning(&*self.transaction).await
    }

    /// Adds a row to a log. There is no call that changes or deletes it.
    pub async fn append<E, A>(&self, mut row: A) -> Result<(), DbErr>
    where
        E: AppendOnly,
        A: ActiveModelTrait<Entity = E> + Send,
    {
        row.set(E::TENANT, tenant_value(self.reach.tenant_id));
        E::insert(row)
            .exec_without_returning(&*self.transaction)
            .await
            .map(|_| ())
    }

    /// Inserts rows.
    pub async fn insert_many<E, A>(&self, rows: Vec<A>) -> Result<(), DbErr>
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E> + Send,
    {
        for chunk in chunks(self.owned(rows)?) {
            E::insert_many(chunk).exec_without_returning(&*self.transaction).await?;
        }
        Ok(())
    }

    /// Inserts rows; `on_conflict` says what becomes of those that exist. Answers the rows as they are
    /// now, without those that the conflict rule left alone.
    pub async fn upsert_many<E, A>(&self, rows: Vec<A>, on_conflict: OnConflict) -> Result<Vec<E::Model>, DbErr>
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E> + Send,
        E::Model: IntoActiveModel<A>,
    {
        let mut kept = Vec::with_capacity(rows.len());
        for chunk in chunks(self.owned(rows)?) {
            let insert = E::insert_many(chunk).on_conflict(on_conflict.clone());
            kept.extend(insert.exec_with_returning(&*self.transaction).await?);
        }
        Ok(kept)
    }

    /// Begins an update of this tenant's rows.
    pub fn update<E: TenantOwned>(&self) -> Update<'_, DatabaseTransaction, E> {
        Update::new(&*self.transaction, E::TENANT, self.reach.condition::<E>())
    }

    /// Deletes this tenant's rows that meet `condition`; answers how many.
    pub async fn delete<E: TenantOwned>(&self, condition: impl IntoCondition) -> Result<u64, DbErr> {
        let delete = E::delete_many()
            .filter(self.reach.condition::<E>())
            .filter(condition.into_condition());
        Ok(delete.exec(&*self.transaction).await?.rows_affected)
    }

    /// Deletes this tenant's rows whose `column` is one of these; answers how many.
    pub async fn delete_among<E, V>(&self, column: E::Column, values: impl IntoIterator<Item = V>) -> Result<u64, DbErr>
    where
        E: TenantOwned,
        V: Into<Value>,
    {
        let backend = self.transaction.get_database_backend();
        self.delete::<E>(among(backend, column, values)).await
    }

    /// Keeps everything that was done.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }

    fn owned<E, A>(&self, mut rows: Vec<A>) -> Result<Vec<A>, DbErr>
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E>,
    {
        for row in &mut rows {
            row.set(E::TENANT, tenant_value(self.reach.tenant_id));
        }
        self.check::<E, A>(&rows)?;
        Ok(rows)
    }

    /// Services refuse before: what is refused here is a mistake of ours.
    fn check<E, A>(&self, rows: &[A]) -> Result<(), DbErr>
    where
        E: TenantOwned,
        A: ActiveModelTrait<Entity = E>,
    {
        if rows.iter().all(|row| self.reach.admits::<E, A>(row)) {
            Ok(())
        } else {
            Err(DbErr::Custom(
                "the row belongs to a device that the scope does not reach".into(),
            ))
        }
    }
}
