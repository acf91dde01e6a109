//! The reads that every device makes when it connects: what many devices ask at the same moment is one statement.
//!
//! After a pause a read goes at once. Under load the next reads gather while a statement runs, and for a moment longer.

use std::{collections::HashMap, sync::Arc, time::Duration};

use entity::{DeviceId, engine_record::Column};
use sea_orm::{ColumnTrait, DbErr, Order, sea_query::Expr};
use wacore::store::error::StoreError;

use super::{StoreResult, space::Space};
use crate::store::{Batcher, DeviceScope, Place, Scoped, Stopped, filled};

/// The most reads of one statement.
const LARGEST: usize = 64;
/// So far apart begin statements that follow each other closely: a device that connects waits some eight times for it,
/// and hundreds that connect at once need a fraction of the statements.
const LINGER: Duration = Duration::from_millis(5);
/// A store with more records than this is read by itself: nobody waits for others' long lists.
const FEW: u64 = 16;

/// Which records of a store are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The one with this key.
    Key(Vec<u8>),
    /// The one with the highest number.
    Highest,
    /// All of them, if they are few.
    Few,
}

/// A record as it is stored: its value is sealed.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub number: Option<i64>,
}

struct Wanted {
    scope: DeviceScope,
    space: Space,
    which: Which,
}

type Answer = Result<Vec<Stored>, Arc<DbErr>>;

/// Reads for all devices of this process. Cheap to clone.
#[derive(Clone)]
pub(in crate::engine) struct Reader {
    batcher: Batcher<Wanted, Answer>,
}

impl Reader {
    /// Starts the reader's task. It ends when the last handle is dropped.
    pub(in crate::engine) fn start() -> Self {
        Self {
            batcher: Batcher::start(LARGEST, LINGER, read),
        }
    }

    /// The wanted records; `None` for a store with more than a few when [`Which::Few`] was asked for.
    pub(super) async fn read(
        &self,
        scope: &DeviceScope,
        space: Space,
        which: Which,
    ) -> StoreResult<Option<Vec<Stored>>> {
        tracing::trace!(?space, ?which, "read");
        let few = which == Which::Few;
        let wanted = Wanted {
            scope: scope.clone(),
            space,
            which,
        };
        let answer = self.batcher.submit(wanted).await;
        let found = answer
            .map_err(|Stopped| StoreError::Database(Box::new(Stopped)))?
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        Ok((!few || found.len() as u64 <= FEW).then_some(found))
    }
}

/// What one statement found: by device and store, by key.
type Found = HashMap<(DeviceId, i16), HashMap<Vec<u8>, Stored>>;

async fn read(wanted: Vec<Wanted>) -> Vec<Answer> {
    let of = |which: Which| wanted.iter().filter(move |one| one.which == which);
    let (keys, highest, few) = tokio::join!(
        at_keys(&wanted),
        of_spaces(of(Which::Highest)),
        of_spaces(of(Which::Few)),
    );
    let answer = |one: &Wanted| {
        let found = match one.which {
            Which::Key(_) => &keys,
            Which::Highest => &highest,
            Which::Few => &few,
        };
        let found = found.as_ref().map_err(Arc::clone)?;
        let Some(here) = found.get(&(one.scope.device_id(), one.space.number())) else {
            return Ok(Vec::new());
        };
        Ok(match &one.which {
            Which::Key(key) => here.get(key).cloned().into_iter().collect(),
            Which::Highest | Which::Few => here.values().cloned().collect(),
        })
    };
    wanted.iter().map(answer).collect()
}

async fn at_keys(wanted: &[Wanted]) -> Result<Found, Arc<DbErr>> {
    let places: Vec<Place<'_>> = wanted
        .iter()
        .filter_map(|one| match &one.which {
            Which::Key(key) => Some((&one.scope, one.space.number(), key.as_slice())),
            Which::Highest | Which::Few => None,
        })
        .collect();
    let rows = DeviceScope::read_at(&places).await?;
    Ok(by_place(
        rows.into_iter()
            .map(|row| (row.device_id, row.space, row.key, row.value, row.number)),
    ))
}

/// Wants of one kind, other than by key.
async fn of_spaces<'a>(wanted: impl Iterator<Item = &'a Wanted>) -> Result<Found, Arc<DbErr>> {
    let query = |wanted: &'a Wanted| {
        let here = wanted.scope.find().filter(Column::Space.eq(wanted.space.number()));
        if wanted.which == Which::Few {
            return here.limit(FEW + 1);
        }
        here.filter(Column::Number.is_not_null())
            .order_by(Column::Number, Order::Desc)
            .limit(1)
    };
    let queries = filled(wanted).into_iter().map(query).collect();
    let columns = [
        Column::DeviceId,
        Column::Space,
        Column::Key,
        Column::Value,
        Column::Number,
    ]
    .map(Expr::col);
    Ok(by_place(Scoped::tuples_of_each(queries, &columns).await?.into_iter()))
}

fn by_place(rows: impl Iterator<Item = (DeviceId, i16, Vec<u8>, Vec<u8>, Option<i64>)>) -> Found {
    let mut found = Found::new();
    for (device, space, key, value, number) in rows {
        let stored = Stored {
            key: key.clone(),
            value,
            number,
        };
        found.entry((device, space)).or_default().insert(key, stored);
    }
    found
}
