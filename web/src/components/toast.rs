//! Short messages about what just happened, read out to screen readers.

use futures::future::LocalBoxFuture;
use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};

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

    /// Does something that needs no form, and tells only when it fails.
    pub fn attempt<T: 'static>(
        self,
        busy: RwSignal<bool>,
        request: impl Future<Output = Result<T, ApiError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let request: LocalBoxFuture<'static, _> = Box::pin(request);
        spawn_local(async move {
            let answer = request.await;
            // The page may have been left by then.
            let _ = busy.try_set(false);
            match answer {
                Ok(value) => done(value),
                Err(error) => self.fail(&error),
            }
        });
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
