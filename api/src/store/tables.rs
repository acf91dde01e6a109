//! Whole tables of a tenant, without naming them one by one: read page by page, deleted batch by batch.
//!
//! **Invariant:** every statement carries the tenant; the list of tables is `entity::tables`.

use entity::{
    TenantId,
    tables::{TableColumn, TenantTable},
};
use sea_orm::{
    ColumnType, ConnectionTrait, DbErr, ExprTrait, Order, QueryResult, Value,
    prelude::{DateTimeUtc, Json, Uuid},
    sea_query::{Expr, Query, SelectStatement, SimpleExpr},
};

use super::{SystemTx, TenantScope, tenant_value};

/// A row: a value for each column that was asked for.
pub type Row = Vec<Value>;

impl TenantScope {
    /// The next rows of a table after the one with the key `after`, sorted by key. Only `columns`, of kinds that
    /// [`is_readable`].
    pub async fn read_table(
        &self,
        table: &TenantTable,
        columns: &[TableColumn],
        after: Option<Row>,
        limit: u64,
    ) -> Result<Vec<Row>, DbErr> {
        let mut query = rows_of(table, self.tenant_id());
        query.columns(columns.iter().map(|column| column.name)).limit(limit);
        for column in &table.key {
            query.order_by(column.name, Order::Asc);
        }
        if let Some(after) = after {
            let values = after.into_iter().map(SimpleExpr::Value);
            query.and_where(key_of(table).gt(Expr::tuple(values)));
        }
        let rows = self.reader().query_all(&query).await?;
        rows.iter().map(|row| read_row(row, columns)).collect()
    }
}

impl SystemTx {
    /// Deletes at most `limit` rows of a tenant; answers how many.
    pub async fn delete_some(&self, table: &TenantTable, tenant: TenantId, limit: u64) -> Result<u64, DbErr> {
        let mut delete = Query::delete();
        delete
            .from_table(table.name)
            .and_where(Expr::col(table.tenant).eq(tenant_value(tenant)));
        if !table.key.is_empty() {
            let mut some = rows_of(table, tenant);
            some.columns(table.key.iter().map(|column| column.name)).limit(limit);
            delete.and_where(key_of(table).in_subquery(some));
        }
        Ok(self.connection().execute(&delete).await?.rows_affected())
    }
}

/// Whether a column can be read: bytes are hashes and keys, and stay where they are.
pub fn is_readable(column: &TableColumn) -> bool {
    kind_of(&column.kind).is_some()
}

fn rows_of(table: &TenantTable, tenant: TenantId) -> SelectStatement {
    let mut query = Query::select();
    query
        .from(table.name)
        .and_where(Expr::col(table.tenant).eq(tenant_value(tenant)));
    query
}

/// One column, or several as a tuple.
fn key_of(table: &TenantTable) -> SimpleExpr {
    Expr::tuple(table.key.iter().map(|column| Expr::col(column.name)))
}

/// What a column's values are read as.
#[derive(Clone, Copy)]
enum Kind {
    Id,
    Text,
    Json,
    Time,
    Flag,
    Small,
    Integer,
    Big,
}

fn kind_of(kind: &ColumnType) -> Option<Kind> {
    Some(match kind {
        ColumnType::Uuid => Kind::Id,
        ColumnType::String(_) | ColumnType::Text | ColumnType::Char(_) => Kind::Text,
        ColumnType::Json | ColumnType::JsonBinary => Kind::Json,
        ColumnType::TimestampWithTimeZone => Kind::Time,
        ColumnType::Boolean => Kind::Flag,
        ColumnType::SmallInteger => Kind::Small,
        ColumnType::Integer => Kind::Integer,
        ColumnType::BigInteger => Kind::Big,
        _ => return None,
    })
}

fn read_row(row: &QueryResult, columns: &[TableColumn]) -> Result<Row, DbErr> {
    columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let kind = kind_of(&column.kind)
                .ok_or_else(|| DbErr::Custom(format!("the column {} cannot be read", column.name)))?;
            Ok(match kind {
                Kind::Id => row.try_get_by_index::<Option<Uuid>>(index)?.into(),
                Kind::Text => row.try_get_by_index::<Option<String>>(index)?.into(),
                Kind::Json => row.try_get_by_index::<Option<Json>>(index)?.into(),
                Kind::Time => row.try_get_by_index::<Option<DateTimeUtc>>(index)?.into(),
                Kind::Flag => row.try_get_by_index::<Option<bool>>(index)?.into(),
                Kind::Small => row.try_get_by_index::<Option<i16>>(index)?.into(),
                Kind::Integer => row.try_get_by_index::<Option<i32>>(index)?.into(),
                Kind::Big => row.try_get_by_index::<Option<i64>>(index)?.into(),
            })
        })
        .collect()
}
