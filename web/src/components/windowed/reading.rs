//! What somebody reads in a list, so that it can be kept where it is.

use web_sys::{DomRect, Element};

use super::{drawn::Drawn, heights::Heights, sight::Sight};

/// Within so many pixels of its end one reads the end.
const AT_END: f64 = 8.0;

#[derive(Default)]
pub struct Reading {
    /// Who reads the end goes on reading it when it moves.
    stays_at_end: bool,
    /// The topmost row in sight and how far below the upper edge it begins; none at the very top.
    anchor: Option<(String, f64)>,
    at_end: bool,
    /// How far it was scrolled when that was remembered.
    scrolled: i32,
}

impl Reading {
    pub fn new(stays_at_end: bool) -> Self {
        Self {
            stays_at_end,
            at_end: stays_at_end,
            ..Self::default()
        }
    }

    /// Whether somebody scrolled since, though the browser has not told of it yet.
    pub fn is_old(&self, sight: &Sight) -> bool {
        sight.scroller.scroll_top() != self.scrolled
    }

    /// Remembers what is read now.
    pub fn note(&mut self, container: &Element, rows: &[Drawn], keys: &[String], heights: &Heights) {
        let sight = Sight::around(container);
        let list = container.get_bounding_client_rect();
        let scroller = &sight.scroller;
        let left = scroller.scroll_height() - scroller.scroll_top() - scroller.client_height();
        self.at_end = f64::from(left) < AT_END;
        self.scrolled = scroller.scroll_top();
        // At the very top one wants to see what comes in.
        if !self.stays_at_end && list.top() >= sight.top - 1.0 {
            self.anchor = None;
            return;
        }
        let seen = |rect: &DomRect| rect.bottom() > sight.top && rect.top() < sight.top + sight.height;
        let in_sight = rows.iter().find_map(|row| {
            let rect = row.element.get_bounding_client_rect();
            // A heading goes up when something comes in below it.
            let is_heading = row.element.has_attribute("data-heading");
            (seen(&rect) && !is_heading).then(|| (row.key.clone(), rect.top() - sight.top))
        });
        self.anchor = in_sight.or_else(|| {
            let upper = sight.top - list.top();
            let row = heights.row_at(upper);
            Some((keys.get(row)?.clone(), heights.start(row) - upper))
        });
    }

    /// How far below the list's beginning the upper edge of the sight shall be.
    pub fn upper(&self, container: &Element, keys: &[String], heights: &Heights, sight: &Sight) -> f64 {
        if self.at_end && self.stays_at_end {
            return heights.start(keys.len()) - sight.height;
        }
        let anchored = self.anchor.as_ref().and_then(|(key, below)| {
            let row = keys.iter().position(|known| known == key)?;
            Some(heights.start(row) - below)
        });
        anchored.unwrap_or_else(|| sight.top - container.get_bounding_client_rect().top())
    }

    /// Puts what was read back to where it was.
    pub fn restore(&self, rows: &[Drawn], sight: &Sight) {
        if self.stays_at_end && self.at_end {
            sight.scroller.set_scroll_top(sight.scroller.scroll_height());
            return;
        }
        let Some((key, below)) = &self.anchor else { return };
        let Some(row) = rows.iter().find(|row| row.key == *key) else {
            return;
        };
        let moved = row.element.get_bounding_client_rect().top() - sight.top - below;
        if moved.abs() >= 1.0 {
            sight.scroller.scroll_by_with_x_and_y(0.0, moved);
        }
    }
}
