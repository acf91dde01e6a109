//! Short messages about what just happened, read out to screen readers.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use super::{
    button::IconButton,
    icon::{Icon, icon},
};
use crate::{
    api::error::ApiError,
    words::{self, words},
};

const SHOWN_MS: u32 = 5_000;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Toast {
    id: u32,
    text: String,
    bad: bool,
}

#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    pub fn provide() {
        provide_context(Self {
            shown: RwSignal::new(Vec::new()),
            last: StoredValue::new(0),
        });
    }

    pub fn say(self, text: impl Into<String>) {
        self.show(text.into(), false);
    }

    pub fn fail(self, error: &ApiError) {
        if *error != ApiError::SignedOut {
            self.show(words::explain(error), true);
        }
    }

    fn show(self, text: String, bad: bool) {
        self.last.update_value(|last| *last += 1);
        let id = self.last.get_value();
        self.shown.update(|shown| shown.push(Toast { id, text, bad }));
        let time = if bad { SHOWN_MS * 2 } else { SHOWN_MS };
        Timeout::new(time, move || self.remove(id)).forget();
    }

    fn remove(self, id: u32) {
        self.shown.update(|shown| shown.retain(|toast| toast.id != id));
    }
}

pub fn use_toasts() -> Toasts {
    expect_context()
}

#[component]
pub fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite" data-testid="toasts">
            <For each=move || toasts.shown.get() key=|toast| toast.id let:toast>
                <div class="toast" class:bad=toast.bad>
                    {icon(if toast.bad { Icon::Warning } else { Icon::Check })}
                    <span>{toast.text.clone()}</span>
                    <IconButton symbol=Icon::Close name=words().close() on_press=move |()| toasts.remove(toast.id) />
                </div>
            </For>
        </div>
    }
}
