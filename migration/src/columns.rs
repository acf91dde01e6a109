//! Short names for the column types and keys that every migration uses.

use sea_orm_migration::prelude::*;

pub fn id(name: &'static str) -> ColumnDef {
    column(name, ColumnType::Uuid)
}

pub fn text(name: &'static str) -> ColumnDef {
    column(name, ColumnType::Text)
}

pub fn string(name: &'static str, length: u32) -> ColumnDef {
    column(name, ColumnType::String(StringLen::N(length)))
}

pub fn time(name: &'static str) -> ColumnDef {
    column(name, ColumnType::TimestampWithTimeZone)
}

pub fn json(name: &'static str) -> ColumnDef {
    column(name, ColumnType::JsonBinary)
}

pub fn flag(name: &'static str) -> ColumnDef {
    column(name, ColumnType::Boolean)
}

pub fn integer(name: &'static str) -> ColumnDef {
    column(name, ColumnType::Integer)
}

pub fn small(name: &'static str) -> ColumnDef {
    column(name, ColumnType::SmallInteger)
}

pub fn big(name: &'static str) -> ColumnDef {
    column(name, ColumnType::BigInteger)
}

pub fn bytes(name: &'static str) -> ColumnDef {
    column(name, ColumnType::VarBinary(StringLen::None))
}

/// A column that may be null.
pub fn optional(mut definition: ColumnDef) -> ColumnDef {
    definition.null();
    definition
}

fn column(name: &'static str, kind: ColumnType) -> ColumnDef {
    let mut definition = ColumnDef::new_with_type(name, kind);
    definition.not_null();
    definition
}

/// Makes a column definition nullable: later calls win over `not_null`.
pub fn table(name: &'static str, columns: Vec<ColumnDef>, primary: &[&'static str]) -> TableCreateStatement {
    let mut statement = Table::create();
    statement.table(name);
    for mut definition in columns {
        statement.col(&mut definition);
    }
    let mut key = Index::create();
    for name in primary {
        key.col(*name);
    }
    statement.primary_key(&mut key);
    statement
}

/// A foreign key that removes the rows with what they belong to.
pub fn belongs_to(from: &[&'static str], table: &'static str, to: &[&'static str]) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    for name in from {
        key.from_col(*name);
    }
    key.to_tbl(table);
    for name in to {
        key.to_col(*name);
    }
    key.on_delete(ForeignKeyAction::Cascade);
    key
}

pub fn unique(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = self::index(name, table, columns);
    index.unique();
    index
}

pub fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
