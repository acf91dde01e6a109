//! Relay connections: `first`/`after` forwards, `last`/`before` backwards, at most 100 rows a page.
//!
//! See <https://relay.dev/graphql/connections.htm>. A cursor is the sort key of its row, so a page is a range of an index
//! and never counts or skips.

use async_graphql::{
    Object, ObjectType, OutputType,
    connection::{Connection, Edge, EmptyFields},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, Value, prelude::Uuid};

use super::errors::GqlError;
use crate::store::Scoped;

/// The most rows that one page holds.
pub const LARGEST_PAGE: u64 = 100;
const DEFAULT_PAGE: u64 = 25;

/// What a row is sorted and found again by.
pub trait SortKey: Sized {
    /// Writes it into a cursor.
    fn write(&self) -> String;
    /// Reads it out of a cursor.
    fn read(text: &str) -> Option<Self>;
}

impl SortKey for Uuid {
    fn write(&self) -> String {
        self.simple().to_string()
    }

    fn read(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok()
    }
}

macro_rules! id_sort_keys {
    ($($id:ty),*) => {$(
        impl SortKey for $id {
            fn write(&self) -> String {
                self.0.write()
            }

            fn read(text: &str) -> Option<Self> {
                Uuid::read(text).map(Self)
            }
        }
    )*};
}

id_sort_keys!(
    entity::TenantId,
    entity::AccessGrantId,
    entity::ApiTokenId,
    entity::AuditEntryId,
    entity::InvitationId,
    entity::MembershipId,
    entity::DeviceId,
    entity::ChatId,
    entity::MessageId
);

impl SortKey for i64 {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl<A: SortKey, B: SortKey> SortKey for (A, B) {
    fn write(&self) -> String {
        format!("{}\u{1}{}", self.0.write(), self.1.write())
    }

    fn read(text: &str) -> Option<Self> {
        let (first, second) = text.split_once('\u{1}')?;
        Some((A::read(first)?, B::read(second)?))
    }
}

impl SortKey for String {
    fn write(&self) -> String {
        self.clone()
    }

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl SortKey for DateTime<Utc> {
    fn write(&self) -> String {
        self.timestamp_micros().to_string()
    }

    fn read(text: &str) -> Option<Self> {
        DateTime::from_timestamp_micros(text.parse().ok()?)
    }
}

/// The cursor of a sort key.
pub fn encode_cursor(key: &impl SortKey) -> String {
    URL_SAFE_NO_PAD.encode(key.write())
}

/// The sort key of a cursor.
pub fn decode_cursor<K: SortKey>(cursor: &str) -> Result<K, GqlError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| K::read(&text))
        .ok_or_else(|| GqlError::bad_request("The cursor is not one of this list's."))
}

/// The four arguments of a connection, as they came.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArguments {
    /// As a resolver gets them.
    pub fn new(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Self {
        Self {
            first,
            after,
            last,
            before,
        }
    }

    /// For lists that are only read forwards.
    pub fn forward(first: Option<i32>, after: Option<String>) -> Self {
        Self {
            first,
            after,
            ..Self::default()
        }
    }

    /// Checks and decodes them.
    pub fn parse<K: SortKey>(self) -> Result<Page<K>, GqlError> {
        let (wanted, backwards) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(GqlError::bad_request("Give either first or last, not both.")),
            (Some(first), None) => (Some(first), false),
            (None, Some(last)) => (Some(last), true),
            (None, None) => (None, self.before.is_some() && self.after.is_none()),
        };
        let limit = match wanted.map(u64::try_from) {
            None => DEFAULT_PAGE,
            Some(Ok(limit)) if limit <= LARGEST_PAGE => limit,
            Some(_) => {
                return Err(GqlError::bad_request(format!(
                    "A page holds between 0 and {LARGEST_PAGE} rows."
                )));
            }
        };
        let after = self.after.as_deref().map(decode_cursor).transpose()?;
        let before = self.before.as_deref().map(decode_cursor).transpose()?;
        Ok(Page {
            limit,
            backwards,
            after,
            before,
        })
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct Page<K> {
    /// How many rows, at most.
    pub limit: u64,
    /// From the end of the range rather than its beginning.
    pub backwards: bool,
    /// Only what comes after this.
    pub after: Option<K>,
    /// Only what comes before this.
    pub before: Option<K>,
}

/// A page of rows, in the list's order.
#[derive(Debug)]
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl<K> Page<K> {
    /// Narrows and sorts a query by one unique column, and asks for one row more than the page holds.
    pub fn seek<'a, C: ConnectionTrait, E: EntityTrait>(
        &self,
        query: Scoped<'a, C, E>,
        column: E::Column,
        ascending: bool,
    ) -> Scoped<'a, C, E>
    where
        K: Clone + Into<Value>,
    {
        let beyond = |value: K, later: bool| -> Condition {
            let condition = if later { column.gt(value) } else { column.lt(value) };
            Condition::all().add(condition)
        };
        let mut query = query;
        if let Some(after) = self.after.clone() {
            query = query.filter(beyond(after, ascending));
        }
        if let Some(before) = self.before.clone() {
            query = query.filter(beyond(before, !ascending));
        }
        let order = if ascending == self.backwards {
            Order::Desc
        } else {
            Order::Asc
        };
        query.order_by(column, order).limit(self.limit + 1)
    }

    /// Cuts the extra row off and puts the rows into the list's order.
    pub fn cut<T>(&self, mut rows: Vec<T>) -> Rows<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if self.backwards {
            rows.reverse();
            Rows {
                rows,
                has_next: self.before.is_some(),
                has_previous: more,
            }
        } else {
            Rows {
                rows,
                has_next: more,
                has_previous: self.after.is_some(),
            }
        }
    }
}

type Count = dyn Fn() -> BoxFuture<'static, Result<u64, GqlError>> + Send + Sync;

/// The size of the whole list, counted only when it is asked for.
pub struct TotalCount(Box<Count>);

impl TotalCount {
    /// Counts with `count` when the field is selected.
    pub fn by<F, R>(count: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<u64, GqlError>> + Send + 'static,
    {
        Self(Box::new(move || Box::pin(count())))
    }

    /// A number that is known already.
    pub fn known(count: usize) -> Self {
        Self::by(move || std::future::ready(Ok(count as u64)))
    }
}

/// Fields that a connection has beside its page.
#[Object]
impl TotalCount {
    /// How many there are in all, over every page. Counted only when it is selected.
    async fn total_count(&self) -> Result<u64, GqlError> {
        (self.0)().await
    }
}

/// A connection that can tell how long the whole list is.
pub type CountedConnection<N> = Connection<String, N, TotalCount, EmptyFields>;

/// Builds a connection; `node` gives each row's sort key and node.
pub fn counted<T, K: SortKey, N: OutputType>(
    rows: Rows<T>,
    total: TotalCount,
    node: impl Fn(T) -> (K, N),
) -> CountedConnection<N> {
    connection(rows, total, node)
}

/// The same for a list whose length is not told.
pub fn uncounted<T, K: SortKey, N: OutputType>(
    rows: Rows<T>,
    node: impl Fn(T) -> (K, N),
) -> Connection<String, N, EmptyFields, EmptyFields> {
    connection(rows, EmptyFields, node)
}

fn connection<T, K: SortKey, N: OutputType, F: ObjectType>(
    rows: Rows<T>,
    fields: F,
    node: impl Fn(T) -> (K, N),
) -> Connection<String, N, F, EmptyFields> {
    let mut connection = Connection::with_additional_fields(rows.has_previous, rows.has_next, fields);
    connection.edges.extend(rows.rows.into_iter().map(|row| {
        let (key, node) = node(row);
        Edge::new(encode_cursor(&key), node)
    }));
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_and_garbage_is_refused() {
        let key = (
            DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap_or_default(),
            Uuid::from_u128(7),
        );
        assert_eq!(
            decode_cursor::<(DateTime<Utc>, Uuid)>(&encode_cursor(&key)).ok(),
            Some(key)
        );
        assert!(decode_cursor::<Uuid>("not a cursor").is_err());
        assert!(decode_cursor::<Uuid>(&encode_cursor(&5_i64)).is_err());
    }

    #[test]
    fn a_page_is_bounded() {
        let page = |first, last| {
            PageArguments {
                first,
                last,
                ..PageArguments::default()
            }
            .parse::<i64>()
        };
        assert_eq!(page(None, None).ok().map(|page| page.limit), Some(DEFAULT_PAGE));
        assert_eq!(page(Some(100), None).ok().map(|page| page.limit), Some(100));
        for refused in [page(Some(101), None), page(Some(-1), None), page(Some(1), Some(1))] {
            assert!(refused.is_err());
        }
    }

    #[test]
    fn pages_say_what_lies_around_them() {
        let page = Page {
            limit: 2,
            backwards: true,
            after: None::<i64>,
            before: Some(9),
        };
        let rows = page.cut(vec![8, 7, 6]);
        assert_eq!(rows.rows, [7, 8]);
        assert!(rows.has_next && rows.has_previous);
    }
}
