//! A list that is loaded page by page, each behind the one before.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use leptos::{prelude::*, task::spawn_local};

use super::remote::{Load, Remote};
use crate::api::{error::ApiError, values::Forward};

/// The rows of a page, and where the next one begins.
type Page<T> = (Vec<T>, Option<String>);
type Fetch<T> = Rc<dyn Fn(Option<String>) -> LocalBoxFuture<'static, Result<Page<T>, ApiError>>>;

/// What follows a page, if anything does.
pub fn next(page: Forward) -> Option<String> {
    page.end_cursor.filter(|_| page.has_next_page)
}

pub struct Paged<T: Send + Sync + 'static> {
    /// The first page: its loading and failing are the list's.
    pub first: Remote<Page<T>>,
    pub rows: RwSignal<Vec<T>>,
    /// Whether there are more.
    pub more: RwSignal<Option<String>>,
    pub busy: RwSignal<bool>,
    fetch: StoredValue<Fetch<T>, LocalStorage>,
}

impl<T: Send + Sync + 'static> Clone for Paged<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Paged<T> {}

impl<T: Clone + Send + Sync + 'static> Paged<T> {
    /// Loads the first page now and whenever a signal that `fetch` reads changes.
    pub fn new<Answer>(fetch: impl Fn(Option<String>) -> Answer + 'static) -> Self
    where
        Answer: Future<Output = Result<Page<T>, ApiError>> + 'static,
    {
        let fetch: Fetch<T> = Rc::new(move |after| Box::pin(fetch(after)));
        let start = fetch.clone();
        let first = Remote::new(move || start(None));
        let (rows, more) = (RwSignal::new(Vec::new()), RwSignal::new(None));
        Effect::new(move |_| {
            first.value.with(|value| {
                if let Load::Ready((page, next)) = value {
                    rows.set(page.clone());
                    more.set(next.clone());
                }
            });
        });
        Self {
            first,
            rows,
            more,
            busy: RwSignal::new(false),
            fetch: StoredValue::new_local(fetch),
        }
    }

    /// Adds the next page; `failed` hears why it could not.
    pub fn load_more(self, failed: impl FnOnce(&ApiError) + 'static) {
        let Some(after) = self.more.get_untracked() else {
            return;
        };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        let answer = untrack(|| self.fetch.with_value(|fetch| fetch(Some(after.clone()))));
        spawn_local(async move {
            let answer = answer.await;
            // The list may be gone, or another one by now.
            if self.busy.try_set(false).is_some() || self.more.get_untracked() != Some(after) {
                return;
            }
            match answer {
                Ok((page, next)) => {
                    self.rows.update(|rows| rows.extend(page));
                    self.more.set(next);
                }
                Err(error) => failed(&error),
            }
        });
    }
}
