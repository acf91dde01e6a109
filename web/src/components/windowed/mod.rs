//! Long lists, of which only what is in sight is drawn: `<ul use:windowed=Windowed::rows(…)>`.
//!
//! Up to [`WHOLE`] rows are all drawn, so that the browser's own search finds everything in them. Beyond that the rows
//! around the sight are, and empty space stands for the others. Rows may have any height; they are measured when they
//! are drawn. The row that has the focus stays drawn with its neighbours, however far one scrolls, so that the focus is
//! never lost and `j` and `k` go on from it.
//!
//! **Invariant:** what somebody reads stays where it is on the screen, whatever is put in or measured above it.

mod columns;
mod drawn;
mod heights;
mod listening;
mod more_rows;
mod places;
mod plan;
mod reading;
mod sight;
mod window;

use std::rc::Rc;

use leptos::{prelude::*, reactive::owner::Owner};

use crate::state::{
    paged::Paged,
    rows::{Row, Rows},
};

pub use listening::windowed;
pub use more_rows::MoreRows;

/// Up to so many rows are all drawn.
const WHOLE: usize = 200;

type Keys = Rc<dyn Fn() -> Vec<String>>;
type Draw = Rc<dyn Fn(usize) -> Option<AnyView>>;

/// What a list shows. Each row is one element.
#[derive(Clone)]
pub struct Windowed {
    /// Rows belong to whoever made the list, as if they had been drawn there and then.
    owner: Owner,
    keys: Keys,
    draw: Draw,
    /// How many there are in all; none while nobody knows.
    total: Signal<Option<i32>>,
    near_start: Option<RwSignal<bool>>,
    near_end: Option<RwSignal<bool>>,
    stays_at_end: bool,
}

impl Windowed {
    /// Rows that never change while they have their key.
    pub fn of<T: Clone + PartialEq + Send + Sync + 'static>(
        items: Memo<Vec<T>>,
        key: impl Fn(&T) -> String + 'static,
        draw: impl Fn(T) -> AnyView + 'static,
    ) -> Self {
        Self::new(items, key, draw)
    }

    /// Rows that each have their own signal.
    pub fn rows<T: Clone + PartialEq + Send + Sync + 'static>(
        rows: Rows<T>,
        draw: impl Fn(Row<T>) -> AnyView + 'static,
    ) -> Self {
        Self::new(rows.list, |(key, _)| key.clone(), draw)
    }

    fn new<T: Clone + 'static>(
        items: impl With<Value = Vec<T>> + Copy + Send + Sync + 'static,
        key: impl Fn(&T) -> String + 'static,
        draw: impl Fn(T) -> AnyView + 'static,
    ) -> Self {
        let count = move || items.with(|items| i32::try_from(items.len()).unwrap_or(i32::MAX));
        Self {
            owner: Owner::current().unwrap_or_default(),
            keys: Rc::new(move || items.with(|items| items.iter().map(&key).collect())),
            draw: Rc::new(move |index| items.with(|items| items.get(index).cloned()).map(&draw)),
            total: Signal::derive(move || Some(count())),
            near_start: None,
            near_end: None,
            stays_at_end: false,
        }
    }

    /// The rows of a list that comes page by page; the next page is asked for when the end comes near.
    pub fn paged<T: Clone + PartialEq + Send + Sync + 'static>(
        paged: Paged<T>,
        draw: impl Fn(Row<T>) -> AnyView + 'static,
    ) -> Self {
        let whole = Self::rows(paged.rows, draw);
        let loaded = whole.total;
        Self {
            total: Signal::derive(move || {
                if paged.more.get() {
                    paged.total.get()
                } else {
                    loaded.get()
                }
            }),
            near_end: Some(paged.near_end),
            ..whole
        }
    }

    /// A list that grows at its beginning, too: tells whether that comes near.
    pub fn growing_upwards(self, near_start: RwSignal<bool>) -> Self {
        Self {
            near_start: Some(near_start),
            ..self
        }
    }

    /// Who reads the end goes on reading it when it moves.
    pub fn staying_at_end(self) -> Self {
        Self {
            stays_at_end: true,
            ..self
        }
    }
}
