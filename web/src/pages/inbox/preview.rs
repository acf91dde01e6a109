//! Whether what the page behind a link says is shown with a message: asked where one writes a text with a link.

use std::cell::Cell;

use leptos::prelude::*;

use crate::words::words;

thread_local! {
    /// What was chosen last, until the page is loaded anew.
    static CHOSEN: Cell<bool> = const { Cell::new(false) };
}

fn has_link(text: &str) -> bool {
    ["https://", "http://"].iter().any(|link| text.contains(link))
}

/// Whether a preview is wanted for this text, as it was chosen last.
pub fn wanted(text: &str) -> bool {
    has_link(text) && CHOSEN.get()
}

/// The choice, while the text has a link.
#[component]
pub fn PreviewChoice(text: RwSignal<String>, testid: &'static str) -> impl IntoView {
    let has_link = Memo::new(move |_| text.with(|text| has_link(text)));
    view! {
        <Show when=move || has_link.get()>
            <label class="composer-preview">
                <input
                    type="checkbox" data-testid=testid prop:checked=CHOSEN.get()
                    on:change=move |event| CHOSEN.set(event_target_checked(&event))
                />
                {words().link_preview()}
            </label>
        </Show>
    }
}
