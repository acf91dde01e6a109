//! Keys that work everywhere, and the dialog that lists them.

use leptos::{ev, prelude::*};
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::dialog::Dialog;
use crate::words::words;

pub fn is_mac() -> bool {
    let agent = window().navigator().user_agent().unwrap_or_default();
    agent.contains("Mac") || agent.contains("iPhone") || agent.contains("iPad")
}

fn is_typing() -> bool {
    let Some(active) = document().active_element() else {
        return false;
    };
    matches!(active.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        || active.closest("dialog, [role=menu]").ok().flatten().is_some()
}

fn is_dialog_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

pub fn listen(palette: RwSignal<bool>, help: RwSignal<bool>) {
    let navigate = use_navigate();
    let after_g = RwSignal::new(0.0_f64);
    let handle = window_event_listener(ev::keydown, move |event: ev::KeyboardEvent| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            palette.update(|open| *open = !*open);
            return;
        }
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing() || is_dialog_open() {
            return;
        }
        let now = js_sys::Date::now();
        if now - after_g.get_untracked() < 1_200.0 {
            after_g.set(0.0);
            let page = match key.as_str() {
                "o" => "/",
                "i" => "/inbox",
                "d" => "/devices",
                "a" => "/activity",
                "s" => "/sandbox",
                _ => return,
            };
            navigate(page, leptos_router::NavigateOptions::default());
            return;
        }
        match key.as_str() {
            "g" => after_g.set(now),
            "?" => help.set(true),
            "/" => {
                if let Some(search) = element("[data-search]") {
                    event.prevent_default();
                    let _ = search.focus();
                }
            }
            "j" => move_row(1),
            "k" => move_row(-1),
            _ => {}
        }
    });
    on_cleanup(move || handle.remove());
}

fn element(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Moves the focus among the rows of the list on the page.
fn move_row(step: i32) {
    let Ok(rows) = document().query_selector_all("[data-row]") else {
        return;
    };
    let rows: Vec<HtmlElement> = (0..rows.length())
        .filter_map(|index| rows.item(index)?.dyn_into().ok())
        .collect();
    let active = document().active_element();
    let at = rows.iter().position(|row| active.as_ref() == Some(row.as_ref()));
    let next = match (at, step) {
        (Some(at), 1) => (at + 1).min(rows.len().saturating_sub(1)),
        (Some(at), _) => at.saturating_sub(1),
        // The first one in sight: a long list also has some above it.
        (None, _) => rows
            .iter()
            .position(|row| row.get_bounding_client_rect().top() >= 0.0)
            .unwrap_or(0),
    };
    if let Some(row) = rows.get(next) {
        let _ = row.focus();
    }
}

#[component]
pub fn ShortcutsDialog(open: RwSignal<bool>) -> impl IntoView {
    let command = if is_mac() { "⌘ K" } else { "Ctrl K" };
    view! {
        <Dialog open title=words().shortcuts() testid="shortcuts">
            <dl class="shortcuts">
                {[
                    (command, words().shortcut_palette()),
                    ("?", words().shortcut_help()),
                    ("/", words().shortcut_search()),
                    ("j  k", words().shortcut_rows()),
                    ("Enter", words().shortcut_open()),
                    ("Esc", words().shortcut_close()),
                    ("g o", words().overview()),
                    ("g i", words().inbox()),
                    ("g d", words().devices()),
                    ("g a", words().activity()),
                ].into_iter().map(|(keys, what)| view! {
                    <div>
                        <dt>{keys.split_whitespace().map(|key| view! { <kbd>{key}</kbd> }).collect_view()}</dt>
                        <dd>{what}</dd>
                    </div>
                }).collect_view()}
            </dl>
        </Dialog>
    }
}
