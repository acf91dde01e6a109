//! A list in which every row has its own signal, so that one change draws one row again.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;

/// A row: its key and its value.
pub type Row<T> = (String, ArcRwSignal<T>);

pub struct Rows<T: 'static> {
    pub list: RwSignal<Vec<Row<T>>>,
}

impl<T: 'static> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Rows<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Rows<T> {
    pub fn new() -> Self {
        Self {
            list: RwSignal::new(Vec::new()),
        }
    }

    /// Shows exactly these. Rows that stay keep their signal, and with it what is on the screen.
    pub fn replace(self, values: Vec<T>, key: impl Fn(&T) -> String) {
        let old = self.list.get_untracked();
        let known: HashMap<&str, &ArcRwSignal<T>> = old.iter().map(|(key, row)| (key.as_str(), row)).collect();
        let rows = values.into_iter().map(|value| {
            let key = key(&value);
            match known.get(key.as_str()) {
                Some(signal) => {
                    set_if_changed(signal, value);
                    (key, ArcRwSignal::clone(signal))
                }
                None => (key, ArcRwSignal::new(value)),
            }
        });
        let rows: Vec<Row<T>> = rows.collect();
        if !same_keys(&old, &rows) {
            self.list.set(rows);
        }
    }

    /// Changes a row in place; false when there is none.
    pub fn update(self, key: &str, value: T) -> bool {
        let found = self.list.try_with_untracked(|list| {
            list.iter()
                .find(|(known, _)| known == key)
                .map(|(_, signal)| signal.clone())
        });
        let Some(Some(signal)) = found else { return false };
        set_if_changed(&signal, value);
        true
    }

    pub fn get(self, key: &str) -> Option<T> {
        let found = self.list.try_with_untracked(|list| {
            list.iter()
                .find(|(known, _)| known == key)
                .map(|(_, signal)| signal.get_untracked())
        });
        found.flatten()
    }

    pub fn push(self, key: String, value: T) {
        self.list.update(|list| list.push((key, ArcRwSignal::new(value))));
    }

    /// Puts these behind the others; what is there already stays where it is.
    pub fn extend(self, values: Vec<T>, key: impl Fn(&T) -> String) {
        self.list.update(|list| {
            let known: HashSet<String> = list.iter().map(|(key, _)| key.clone()).collect();
            for value in values {
                let key = key(&value);
                if !known.contains(&key) {
                    list.push((key, ArcRwSignal::new(value)));
                }
            }
        });
    }

    /// Puts a row before the others, unless it is there.
    pub fn put_first(self, key: String, value: T) {
        let there = self
            .list
            .try_with_untracked(|list| list.iter().any(|(known, _)| *known == key));
        if there == Some(false) {
            self.list.update(|list| list.insert(0, (key, ArcRwSignal::new(value))));
        }
    }

    pub fn remove(self, key: &str) {
        let there = self
            .list
            .with_untracked(|list| list.iter().any(|(known, _)| known == key));
        if there {
            self.list.update(|list| list.retain(|(known, _)| known != key));
        }
    }

    /// Sorts by what `rank` answers, the greatest first; draws again only when the order changed.
    pub fn sort_by_rank(self, rank: impl Fn(&T) -> f64) {
        let mut sorted = self.list.get_untracked();
        let before: Vec<String> = sorted.iter().map(|(key, _)| key.clone()).collect();
        sorted.sort_by(|(_, a), (_, b)| b.with_untracked(&rank).total_cmp(&a.with_untracked(&rank)));
        if sorted.iter().map(|(key, _)| key).ne(before.iter()) {
            self.list.set(sorted);
        }
    }
}

fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

fn same_keys<T>(old: &[Row<T>], new: &[Row<T>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|((a, _), (b, _))| a == b)
}
