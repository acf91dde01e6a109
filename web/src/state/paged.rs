//! A list that is loaded page by page, each behind the one before.

use std::{cell::RefCell, collections::HashSet, rc::Rc};

use futures::future::LocalBoxFuture;
use leptos::{prelude::*, task::spawn_local};

use super::{
    live::use_live,
    remote::{Load, Remote},
    rows::Rows,
};
use crate::api::{
    error::ApiError,
    values::{Backward, Forward},
};

/// The rows of a page, in the list's order, and where the next one begins.
#[derive(Clone)]
pub struct Page<T> {
    rows: Vec<T>,
    end: Option<String>,
    more: bool,
    total: Option<i32>,
}

impl<T> Page<T> {
    pub fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            end: None,
            more: false,
            total: Some(0),
        }
    }

    pub fn new(rows: Vec<T>, info: Forward) -> Self {
        Self {
            rows,
            end: info.end_cursor,
            more: info.has_next_page,
            total: None,
        }
    }

    /// A page that the server tells oldest first, for a list that begins with the newest.
    pub fn newest_first(mut rows: Vec<T>, info: Backward) -> Self {
        rows.reverse();
        Self {
            rows,
            end: info.start_cursor,
            more: info.has_previous_page,
            total: None,
        }
    }

    /// How many there are on all pages.
    pub fn of(self, total: i32) -> Self {
        Self {
            total: Some(total),
            ..self
        }
    }
}

type Fetch<T> = Rc<dyn Fn(Option<String>) -> LocalBoxFuture<'static, Result<Page<T>, ApiError>>>;
type Belongs<T> = Box<dyn Fn(&T) -> bool>;

pub struct Paged<T: Send + Sync + 'static> {
    /// The first page of one question: its loading and failing are the list's.
    pub first: Remote<(u32, Page<T>)>,
    pub rows: Rows<T>,
    pub empty: Memo<bool>,
    /// How many there are on all pages, when the server says so.
    pub total: RwSignal<Option<i32>>,
    /// Whether there are more.
    pub more: RwSignal<bool>,
    pub busy: RwSignal<bool>,
    /// Set by who shows the list: whether its end comes into sight, so that the next page is wanted.
    pub near_end: RwSignal<bool>,
    /// Why the next page could not be loaded.
    pub failed: RwSignal<Option<ApiError>>,
    end: RwSignal<Option<String>>,
    key: fn(&T) -> String,
    fetch: StoredValue<Fetch<T>, LocalStorage>,
    belongs: StoredValue<Option<Belongs<T>>, LocalStorage>,
}

impl<T: Send + Sync + 'static> Clone for Paged<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Paged<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Paged<T> {
    /// Loads the first page now and whenever the question changes, which is asked with signals.
    pub fn new<Question, Answer>(
        key: fn(&T) -> String,
        question: impl Fn() -> Question + 'static,
        fetch: impl Fn(Question, Option<String>) -> Answer + 'static,
    ) -> Self
    where
        Question: Clone + PartialEq + 'static,
        Answer: Future<Output = Result<Page<T>, ApiError>> + 'static,
    {
        // Which question it is, so that an answer to another one is not taken for a newer one to the same.
        let asked: Rc<RefCell<(u32, Option<Question>)>> = Rc::default();
        let fetch = Rc::new(fetch);
        let start = {
            let (asked, fetch) = (asked.clone(), fetch.clone());
            move || {
                let question = question();
                let mut asked = asked.borrow_mut();
                if asked.1.as_ref() != Some(&question) {
                    *asked = (asked.0 + 1, Some(question.clone()));
                }
                let number = asked.0;
                let answer = fetch(question, None);
                async move { Ok((number, answer.await?)) }
            }
        };
        let following: Fetch<T> = Rc::new(move |after| {
            let question = asked.borrow().1.clone();
            let answer = question.map(|question| fetch(question, after));
            Box::pin(async move {
                match answer {
                    Some(answer) => answer.await,
                    None => Err(ApiError::Offline),
                }
            })
        });
        let rows = Rows::new();
        let this = Self {
            first: Remote::new(start),
            rows,
            empty: Memo::new(move |_| rows.list.with(Vec::is_empty)),
            total: RwSignal::new(None),
            more: RwSignal::new(false),
            busy: RwSignal::new(false),
            near_end: RwSignal::new(false),
            failed: RwSignal::new(None),
            end: RwSignal::new(None),
            key,
            fetch: StoredValue::new_local(following),
            belongs: StoredValue::new_local(None),
        };
        let live = use_live();
        Effect::new(move |shown: Option<Option<(u32, u32)>>| {
            this.first.value.with(|value| match value {
                Load::Ready((number, page)) => {
                    let now = (*number, live.gaps.get_untracked());
                    if shown == Some(Some(now)) {
                        this.freshen(page.clone());
                    } else {
                        this.begin(page.clone());
                    }
                    Some(now)
                }
                Load::Loading | Load::Failed(_) => shown.flatten(),
            })
        });
        Effect::new(move |_| {
            if this.near_end.get() && this.more.get() && this.end.with(Option::is_some) {
                untrack(|| this.load_more());
            }
        });
        this
    }

    /// Rows of later pages that no longer belong here go when the list is refreshed; of the first page the server
    /// decides.
    pub fn only(self, belongs: impl Fn(&T) -> bool + 'static) -> Self {
        self.belongs.set_value(Some(Box::new(belongs)));
        self
    }

    fn begin(self, page: Page<T>) {
        self.rows.replace(page.rows, self.key);
        self.total.set(page.total);
        self.end.set(page.end);
        self.more.set(page.more);
    }

    /// A newer first page: what was loaded behind it stays, so that nobody who reads there is sent back.
    fn freshen(self, page: Page<T>) {
        let known = self.rows.list.get_untracked();
        let last = page
            .rows
            .iter()
            .rev()
            .find_map(|row| known.iter().position(|(key, _)| *key == (self.key)(row)));
        let Some(last) = last.filter(|_| page.more) else {
            return self.begin(page);
        };
        let fresh: HashSet<String> = page.rows.iter().map(self.key).collect();
        let behind = known.into_iter().skip(last + 1).filter(|(key, row)| {
            !fresh.contains(key)
                && self
                    .belongs
                    .with_value(|belongs| belongs.as_ref().is_none_or(|belongs| row.with_untracked(belongs)))
        });
        let behind: Vec<T> = behind.map(|(_, row)| row.get_untracked()).collect();
        if behind.is_empty() {
            return self.begin(page);
        }
        self.rows
            .replace(page.rows.into_iter().chain(behind).collect(), self.key);
        self.total.set(page.total);
        // Something new may stand behind what was the end.
        self.more.set(true);
    }

    /// Adds the next page.
    pub fn load_more(self) {
        if self.busy.get_untracked() || !self.more.get_untracked() {
            return;
        }
        let after = self.end.get_untracked();
        self.busy.set(true);
        self.failed.set(None);
        let answer = untrack(|| self.fetch.with_value(|fetch| fetch(after.clone())));
        spawn_local(async move {
            let answer = answer.await;
            // The list may be gone, or another one by now.
            if self.busy.try_set(false).is_some() || self.end.get_untracked() != after {
                return;
            }
            match answer {
                Ok(page) => {
                    self.rows.extend(page.rows, self.key);
                    if page.end.is_some() {
                        self.end.set(page.end);
                    }
                    self.more.set(page.more);
                }
                Err(error) => self.failed.set(Some(error)),
            }
        });
    }
}
