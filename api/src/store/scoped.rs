//! A query that already carries its filter.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, TryGetableMany,
    sea_query::{IntoCondition, SimpleExpr},
};

/// A query of one table, filtered to what its scope may see. Further filters only narrow it.
#[must_use]
pub struct Scoped<'a, C, E: EntityTrait> {
    connection: &'a C,
    select: Select<E>,
}

impl<'a, C: ConnectionTrait, E: EntityTrait> Scoped<'a, C, E> {
    pub(super) fn new(connection: &'a C, select: Select<E>) -> Self {
        Self { connection, select }
    }

    /// Keeps the rows that also meet `condition`.
    pub fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.select = self.select.filter(condition.into_condition());
        self
    }

    /// Sorts; called again, sorts equals further.
    pub fn order_by(mut self, column: impl IntoSimpleExpr, order: Order) -> Self {
        self.select = self.select.order_by(column, order);
        self
    }

    /// Reads at most `rows`.
    pub fn limit(mut self, rows: u64) -> Self {
        self.select = self.select.limit(rows);
        self
    }

    /// Every row.
    pub async fn all(self) -> Result<Vec<E::Model>, DbErr> {
        self.select.all(self.connection).await
    }

    /// The first row.
    pub async fn one(self) -> Result<Option<E::Model>, DbErr> {
        self.select.one(self.connection).await
    }

    /// How many rows there are.
    pub async fn count(self) -> Result<u64, DbErr>
    where
        E::Model: Send + Sync + 'a,
    {
        self.select.count(self.connection).await
    }

    /// Only these expressions of every row, as a tuple.
    pub async fn tuples<T>(self, expressions: impl IntoIterator<Item = SimpleExpr>) -> Result<Vec<T>, DbErr>
    where
        T: TryGetableMany + Send + Sync,
    {
        let mut select = self.select.select_only();
        for expression in expressions {
            select = select.expr(expression);
        }
        select.into_tuple::<T>().all(self.connection).await
    }

    /// One row for each distinct value of `keys`, for use with [`Scoped::tuples`].
    pub fn group_by(mut self, keys: impl IntoIterator<Item = SimpleExpr>) -> Self {
        for key in keys {
            self.select = self.select.group_by(key);
        }
        self
    }
}
