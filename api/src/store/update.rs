//! An update that already carries its filter.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IdenStatic, QueryFilter, QueryTrait, TryGetableMany,
    UpdateMany, Value,
    sea_query::{Expr, IntoCondition, Query, SimpleExpr},
};

use super::shapes::among;

/// An update of the rows that a scope may change. Build it with `set` and `filter`, end it with `execute` or `returning`.
///
/// **Invariant:** the column of the scope is never set.
#[must_use]
pub struct Update<'a, C, E: EntityTrait> {
    connection: &'a C,
    statement: UpdateMany<E>,
    guard: E::Column,
    refused: bool,
}

impl<'a, C: ConnectionTrait, E: EntityTrait> Update<'a, C, E> {
    pub(super) fn new(connection: &'a C, guard: E::Column, reach: Condition) -> Self {
        // The scope's filter stands first; every later filter is joined to it by AND.
        let statement = E::update_many().filter(reach);
        Self {
            connection,
            statement,
            guard,
            refused: false,
        }
    }

    /// Sets a column to a value.
    pub fn set(self, column: E::Column, value: impl Into<Value>) -> Self {
        self.set_to(column, SimpleExpr::Value(value.into()))
    }

    /// Sets a column to an expression.
    pub fn set_to(mut self, column: E::Column, expression: impl Into<SimpleExpr>) -> Self {
        if column.as_str() == self.guard.as_str() {
            self.refused = true;
        } else {
            // An enum's column needs its cast where the database has a type for it.
            self.statement = self.statement.col_expr(column, column.save_as(expression.into()));
        }
        self
    }

    /// Only the rows that also meet `condition`.
    pub fn filter(mut self, condition: impl IntoCondition) -> Self {
        self.statement = self.statement.filter(condition.into_condition());
        self
    }

    /// Only the rows whose `column` is one of these.
    pub fn among<V: Into<Value>>(self, column: E::Column, values: impl IntoIterator<Item = V>) -> Self {
        let one_of = among(self.connection.get_database_backend(), column, values);
        self.filter(one_of)
    }

    /// Runs it; answers how many rows changed.
    pub async fn execute(self) -> Result<u64, DbErr> {
        self.check()?;
        Ok(self.statement.exec(self.connection).await?.rows_affected)
    }

    /// Runs it; answers the rows as they are now.
    pub async fn returning(self) -> Result<Vec<E::Model>, DbErr> {
        self.check()?;
        self.statement.exec_with_returning(self.connection).await
    }

    /// Runs it; answers only these columns of the rows, as they are now.
    pub async fn returning_tuples<T>(self, columns: impl IntoIterator<Item = E::Column>) -> Result<Vec<T>, DbErr>
    where
        T: TryGetableMany,
    {
        self.check()?;
        let mut query = QueryTrait::into_query(self.statement);
        let columns = columns.into_iter().map(|column| column.select_as(Expr::col(column)));
        query.returning(Query::returning().exprs(columns));
        let rows = self.connection.query_all(&query).await?;
        rows.iter()
            .map(|row| T::try_get_many_by_index(row).map_err(Into::into))
            .collect()
    }

    fn check(&self) -> Result<(), DbErr> {
        if self.refused {
            return Err(DbErr::Custom("the column of the scope cannot be set".into()));
        }
        Ok(())
    }
}
