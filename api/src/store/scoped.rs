//! A query that already carries its filter.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, TryGetableMany, Value,
    sea_query::{Asterisk, IntoCondition, Query, SelectStatement, SimpleExpr, UnionType},
};

use super::shapes::among;

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

    /// Keeps the rows whose `column` is one of these.
    pub fn among<V: Into<Value>>(self, column: E::Column, values: impl IntoIterator<Item = V>) -> Self {
        let one_of = among(self.connection.get_database_backend(), column, values);
        self.filter(one_of)
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

    /// Only these expressions of every row of several queries, as tuples, in one statement: so each may have a limit of
    /// its own. The rows come in no order.
    pub async fn tuples_of_each<T>(queries: Vec<Self>, expressions: &[SimpleExpr]) -> Result<Vec<T>, DbErr>
    where
        T: TryGetableMany,
    {
        let Some(connection) = queries.first().map(|query| query.connection) else {
            return Ok(Vec::new());
        };
        // SQLite takes a limit within a union only from a subquery.
        let mut parts = queries.into_iter().map(|query| {
            let select = query.select.select_only();
            let select = expressions.iter().cloned().fold(select, Select::expr);
            Query::select()
                .column(Asterisk)
                .from_subquery(select.into_query(), "part")
                .to_owned()
        });
        let mut all: SelectStatement = parts.next().unwrap_or_default();
        all.unions(parts.map(|part| (UnionType::All, part)));
        let rows = connection.query_all(&all).await?;
        rows.iter()
            .map(|row| T::try_get_many_by_index(row).map_err(Into::into))
            .collect()
    }

    /// One row for each distinct value of `keys`, for use with [`Scoped::tuples`].
    pub fn group_by(mut self, keys: impl IntoIterator<Item = SimpleExpr>) -> Self {
        for key in keys {
            self.select = self.select.group_by(key);
        }
        self
    }
}
