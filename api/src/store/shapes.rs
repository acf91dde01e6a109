//! Statements of few shapes.
//!
//! A database keeps the plan of a statement it has seen. A statement whose text grows with the number of its values would
//! be new almost every time; on both databases reading and planning it costs more than running it. So lists are cut,
//! filled up to lengths that come again, or handed over as one value.

use sea_orm::{
    ColumnTrait, DbBackend, Value,
    sea_query::{Expr, ExprTrait as _, extension::postgres::PgFunc},
};

/// The most rows of one inserting statement, and values of one list. A power of two.
const LARGEST: usize = 128;

/// Splits rows into powers of two: 200 rows become 128, 64 and 8.
pub fn chunks<T>(rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let left = rows.len();
        let size = LARGEST.min(1 << left.checked_ilog2()?);
        Some(rows.by_ref().take(size).collect())
    })
}

/// Fills a list for `IN` up to the next power of two by repeating its last value, which changes nothing.
pub fn filled<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// Whether a column is one of these values: always one statement on Postgres, which takes the list as one value, and one
/// for each power of two on SQLite.
///
/// Postgres plans a list of five hundred values anew each time it sees one, and on a table of a few thousand rows decides to
/// read all of it.
pub(super) fn among<C, V>(backend: DbBackend, column: C, values: impl IntoIterator<Item = V>) -> Expr
where
    C: ColumnTrait,
    V: Into<Value>,
{
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    match (backend, values.first()) {
        (DbBackend::Postgres, Some(first)) => {
            let list = Value::Array(first.array_type(), Some(Box::new(values)));
            Expr::col(column.as_column_ref()).eq(PgFunc::any(column.save_array_as(Expr::val(list))))
        }
        _ => column.is_in(filled(values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_into_few_sizes_and_none_is_lost() {
        let sizes = |count: usize| -> Vec<usize> { chunks((0..count).collect()).map(|chunk| chunk.len()).collect() };
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(100), [64, 32, 4]);
        assert_eq!(sizes(300), [128, 128, 32, 8, 4]);
        assert_eq!(
            chunks((0..77).collect()).flatten().collect::<Vec<_>>(),
            (0..77).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_list_is_filled_with_what_it_has() {
        assert_eq!(filled([1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(filled([7]), [7]);
        assert_eq!(filled(Vec::<i32>::new()), [0; 0]);
    }
}
