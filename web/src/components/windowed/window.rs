//! Draws a list anew when its rows change, when it is scrolled and when it has another width.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

use super::{
    WHOLE, Windowed, columns, drawn::Contents, heights::Heights, places::Places, plan::plan, reading::Reading,
    sight::Sight,
};

/// Within so many pixels of its ends a list asks for more.
const NEAR: f64 = 1_200.0;
/// Rows may turn out smaller than they were taken for; then more of them fit.
const ATTEMPTS: usize = 3;

pub struct Window {
    container: Element,
    near_start: Option<RwSignal<bool>>,
    near_end: Option<RwSignal<bool>>,
    state: RefCell<State>,
    /// The key of the row with the focus.
    focus: RefCell<Option<String>>,
    width: Cell<f64>,
}

struct State {
    keys: Vec<String>,
    heights: Heights,
    contents: Contents,
    reading: Reading,
    places: Places,
    columns_fixed: bool,
}

impl Window {
    pub fn new(container: Element, list: &Windowed) -> Self {
        let state = State {
            keys: Vec::new(),
            heights: Heights::default(),
            contents: Contents::new(container.clone(), list.draw.clone(), list.owner.clone()),
            reading: Reading::new(list.stays_at_end),
            places: Places::of(list.total),
            columns_fixed: false,
        };
        Self {
            container,
            near_start: list.near_start,
            near_end: list.near_end,
            state: RefCell::new(state),
            focus: RefCell::default(),
            width: Cell::new(0.0),
        }
    }

    pub fn container(&self) -> &Element {
        &self.container
    }

    /// These are the rows now.
    pub fn show(&self, keys: Vec<String>) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.heights.place(&keys);
            state.keys = keys;
        }
        self.draw();
    }

    pub fn scrolled(&self) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.note(&self.container);
        }
        self.draw();
    }

    pub fn resized(&self) {
        self.draw();
    }

    /// Something in the list got the focus, or lost it.
    pub fn focused(&self, target: Option<&Element>) {
        let Ok(state) = self.state.try_borrow() else { return };
        let row = target.and_then(|target| {
            let mut rows = state.contents.rows.iter();
            rows.find(|row| row.element.contains(Some(target)))
                .map(|row| row.key.clone())
        });
        let windowed = state.keys.len() > WHOLE;
        drop(state);
        let moved = row.is_some();
        if let Ok(mut focus) = self.focus.try_borrow_mut() {
            *focus = row;
        }
        // Its neighbours must be there before the next key is pressed.
        if windowed && moved {
            self.draw();
        }
    }

    pub fn close(&self) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.contents.clear();
        }
    }

    fn draw(&self) {
        let Ok(mut guard) = self.state.try_borrow_mut() else {
            return;
        };
        let state = &mut *guard;
        let sight = Sight::around(&self.container);
        // Whoever scrolled a moment ago is not sent back.
        if state.reading.is_old(&sight) {
            state.note(&self.container);
        }
        let active = document().active_element();
        self.measure(state);
        for attempt in 0..=ATTEMPTS {
            self.arrange(state, &sight);
            if attempt == ATTEMPTS || !self.measure(state) {
                break;
            }
        }
        state.reading.restore(&state.contents.rows, &sight);
        state.note(&self.container);
        state
            .places
            .tell(&self.container, &state.contents.rows, state.keys.len());
        if !state.columns_fixed && state.keys.len() > WHOLE {
            state.columns_fixed = columns::fix(&self.container);
        }
        drop(guard);
        self.give_back(active);
        self.tell_ends(&sight);
    }

    fn arrange(&self, state: &mut State, sight: &Sight) {
        let State {
            keys,
            heights,
            contents,
            reading,
            ..
        } = state;
        let upper = reading.upper(&self.container, keys, heights, sight);
        let focus = self.focus.borrow();
        let focus = focus
            .as_ref()
            .and_then(|focus| keys.iter().position(|known| known == focus));
        let pieces = plan(keys.len(), heights, upper, sight.height, focus);
        contents.arrange(keys, &pieces);
    }

    /// The heights of what is drawn, with the space to the next row; true when one was not known.
    fn measure(&self, state: &mut State) -> bool {
        let rect = self.container.get_bounding_client_rect();
        if rect.width() == 0.0 {
            return false;
        }
        if (self.width.replace(rect.width()) - rect.width()).abs() >= 1.0 {
            state.heights.forget();
            if std::mem::take(&mut state.columns_fixed) {
                columns::free(&self.container);
            }
        }
        let mut changed = false;
        let top_of = |element: &Element| element.get_bounding_client_rect().top();
        for row in &state.contents.rows {
            let below = row.element.next_element_sibling();
            let below = below.map_or(rect.bottom(), |below| top_of(&below));
            changed |= state.heights.measure(&row.key, below - top_of(&row.element));
        }
        if changed {
            state.heights.place(&state.keys);
        }
        changed
    }

    /// Moving a row takes the focus from it.
    fn give_back(&self, focus: Option<Element>) {
        if let Some(focus) = focus
            && document().active_element().as_ref() != Some(&focus)
            && self.container.contains(Some(&focus))
            && let Some(focus) = focus.dyn_ref::<HtmlElement>()
        {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = focus.focus_with_options(&options);
        }
    }

    fn tell_ends(&self, sight: &Sight) {
        let list = self.container.get_bounding_client_rect();
        let ends = [
            (self.near_start, sight.top - list.top()),
            (self.near_end, list.bottom() - sight.top - sight.height),
        ];
        for (signal, left) in ends {
            let near = self.width.get() > 0.0 && left < NEAR;
            if let Some(signal) = signal
                && signal.try_get_untracked().is_some_and(|known| known != near)
            {
                signal.set(near);
            }
        }
    }
}

impl State {
    fn note(&mut self, container: &Element) {
        self.reading
            .note(container, &self.contents.rows, &self.keys, &self.heights);
    }
}
