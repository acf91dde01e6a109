//! The rows that are there, and the space that stands for the others.

use std::collections::{HashMap, HashSet};

use leptos::{
    prelude::*,
    reactive::owner::Owner,
    tachys::view::{Mountable, Render},
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

use super::{Draw, plan::Piece};

/// A row that is there.
pub struct Drawn {
    pub key: String,
    /// Its place among all rows.
    pub index: usize,
    pub element: Element,
    view: <AnyView as Render>::State,
    owner: Owner,
}

impl Drawn {
    fn gone(mut self) {
        self.view.unmount();
        self.owner.cleanup();
    }
}

/// What the list's element holds.
pub struct Contents {
    container: Element,
    draw: Draw,
    owner: Owner,
    /// From top to bottom.
    pub rows: Vec<Drawn>,
    /// Stand for the rows that are not drawn: above, between the row with the focus and the others, below.
    gaps: Vec<HtmlElement>,
}

impl Contents {
    pub fn new(container: Element, draw: Draw, owner: Owner) -> Self {
        Self {
            container,
            draw,
            owner,
            rows: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Draws what is new, takes away what is no longer wanted, and moves only what changed its place.
    pub fn arrange(&mut self, keys: &[String], pieces: &[Piece]) {
        let mut known = self.keep(keys, pieces);
        for gap in &self.gaps {
            gap.remove();
        }
        let mut before: Option<Element> = None;
        let mut gaps_used = 0;
        for piece in pieces {
            let next = before
                .as_ref()
                .map_or_else(|| self.container.first_child(), |before| before.next_sibling());
            match piece {
                Piece::Gap(height) => {
                    if let Some(gap) = self.put_gap(gaps_used, *height, next.as_ref()) {
                        gaps_used += 1;
                        before = Some(gap);
                    }
                }
                Piece::Row(index) => {
                    let key = &keys[*index];
                    let row = match known.remove(key.as_str()) {
                        Some(mut row) => {
                            if row.element.previous_element_sibling() != before {
                                row.view.mount(&self.container, next.as_ref());
                            }
                            row.index = *index;
                            Some(row)
                        }
                        None => self.new_row(key, *index, next.as_ref()),
                    };
                    if let Some(row) = row {
                        before = Some(row.element.clone());
                        self.rows.push(row);
                    }
                }
            }
        }
    }

    /// The rows that are there and stay, by their keys; the others go.
    fn keep<'a>(&mut self, keys: &'a [String], pieces: &[Piece]) -> HashMap<&'a str, Drawn> {
        let wanted = pieces.iter().filter_map(|piece| match piece {
            Piece::Row(row) => Some(keys[*row].as_str()),
            Piece::Gap(_) => None,
        });
        let wanted: HashSet<&str> = wanted.collect();
        let mut known = HashMap::new();
        for row in self.rows.drain(..) {
            match wanted.get(row.key.as_str()) {
                Some(key) if !known.contains_key(key) => {
                    known.insert(*key, row);
                }
                _ => row.gone(),
            }
        }
        known
    }

    fn new_row(&self, key: &str, index: usize, next: Option<&Node>) -> Option<Drawn> {
        let owner = self.owner.with(Owner::new);
        // Built there, too: what a row shows by a closure is made when it is built.
        let mut view = owner.with(|| untrack(|| (self.draw)(index).map(Render::build)))?;
        view.mount(&self.container, next);
        let element = match next {
            Some(next) => next.previous_sibling()?.dyn_into().ok()?,
            None => self.container.last_element_child()?,
        };
        Some(Drawn {
            key: key.to_owned(),
            index,
            element,
            view,
            owner,
        })
    }

    fn put_gap(&mut self, number: usize, height: f64, next: Option<&Node>) -> Option<Element> {
        if self.gaps.len() == number {
            self.gaps.push(new_gap(self.container.tag_name() == "TBODY")?);
        }
        let gap = &self.gaps[number];
        // In a table the height is that of its one cell.
        let cell = gap
            .first_element_child()
            .and_then(|cell| cell.dyn_into::<HtmlElement>().ok());
        let tall = cell.as_ref().unwrap_or(gap);
        let _ = tall.style().set_property("height", &format!("{height}px"));
        let _ = self.container.insert_before(gap, next);
        Some(gap.clone().into())
    }

    pub fn clear(&mut self) {
        for row in self.rows.drain(..) {
            row.gone();
        }
        for gap in self.gaps.drain(..) {
            gap.remove();
        }
    }
}

fn new_gap(in_table: bool) -> Option<HtmlElement> {
    let gap = document().create_element(if in_table { "tr" } else { "li" }).ok()?;
    let _ = gap.set_attribute("aria-hidden", "true");
    gap.set_class_name("window-gap");
    if in_table {
        let cell = document().create_element("td").ok()?;
        let _ = cell.set_attribute("colspan", "99");
        let _ = gap.append_child(&cell);
    }
    gap.dyn_into().ok()
}
