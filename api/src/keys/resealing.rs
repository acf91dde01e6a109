//! What encrypting stored values anew has in common, whatever table they are in.

use sea_orm::{
    ColumnTrait, ExprTrait,
    sea_query::{Expr, Func, SimpleExpr},
};

/// What became of a table's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Encrypted under the newest key now.
    pub changed: u64,
    /// Can't be opened with any known key, and were left as they are.
    pub unreadable: u64,
}

/// Rows whose value in `column` is encrypted under another key than the newest: its number is the value's first byte.
pub fn is_under_another_key(column: impl ColumnTrait, newest: u8) -> SimpleExpr {
    let first = Func::cust("substr")
        .arg(Expr::col(column.as_column_ref()))
        .arg(Expr::val(1))
        .arg(Expr::val(1));
    SimpleExpr::from(first).ne(vec![newest])
}
