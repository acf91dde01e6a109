//! For screen readers: which of how many each row is, when not all are there.

use leptos::prelude::*;
use web_sys::Element;

use super::drawn::Drawn;

pub struct Places {
    total: Signal<Option<i32>>,
    told: bool,
}

impl Places {
    /// `total` is how many rows there are in all, loaded or not; none while nobody knows.
    pub fn of(total: Signal<Option<i32>>) -> Self {
        Self { total, told: false }
    }

    pub fn tell(&mut self, container: &Element, rows: &[Drawn], loaded: usize) {
        let count = i32::try_from(loaded).unwrap_or(i32::MAX);
        let total = self.total.try_get_untracked().flatten();
        if rows.len() == loaded && total == Some(count) && !self.told {
            return;
        }
        self.told = true;
        let table = container.closest("table").ok().flatten();
        // A table counts its head.
        let head = i32::from(table.is_some());
        let all = total.map_or(-1, |total| total.max(count) + head).to_string();
        if let Some(table) = &table {
            let _ = table.set_attribute("aria-rowcount", &all);
        }
        for row in rows {
            let place = i32::try_from(row.index).unwrap_or(i32::MAX - 2) + 1 + head;
            if table.is_some() {
                let _ = row.element.set_attribute("aria-rowindex", &place.to_string());
            } else {
                let _ = row.element.set_attribute("aria-posinset", &place.to_string());
                let _ = row.element.set_attribute("aria-setsize", &all);
            }
        }
    }
}
