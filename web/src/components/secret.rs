//! Something that is shown once: a link, a token, a password.

use leptos::prelude::*;

use super::{
    button::{Button, Kind},
    dialog::Dialog,
    facts::{CodeBlock, CopyButton},
};
use crate::words::words;

/// Text to copy, whole.
#[component]
pub fn Secret(#[prop(into)] text: String) -> impl IntoView {
    view! {
        <p class="secret">
            <code data-testid="secret">{text.clone()}</code>
            <CopyButton text />
        </p>
    }
}

/// Shows `secret` while there is one, and forgets it when it is closed.
#[component]
pub fn SecretDialog(
    secret: RwSignal<Option<String>>,
    title: &'static str,
    text: &'static str,
    /// What to do with it first, made of the secret.
    #[prop(optional)]
    example: Option<fn(&str) -> String>,
    #[prop(optional)] example_title: &'static str,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if secret.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |before: Option<bool>| {
        let now = open.get();
        if before == Some(true) && !now {
            secret.set(None);
        }
        now
    });
    view! {
        <Dialog open title testid="secret-dialog" class="wider">
            <div class="stack">
                <p>{text}</p>
                {move || secret.get().map(|text| {
                    let example = example.map(|example| view! {
                        <p class="sub">{example_title}</p>
                        <CodeBlock text=example(&text) />
                    });
                    view! { <Secret text /> {example} }
                })}
                <footer class="dialog-foot">
                    <Button
                        label=words().done() kind=Kind::Primary testid="secret-done" on_press=move |()| open.set(false)
                    />
                </footer>
            </div>
        </Dialog>
    }
}
