//! Small facts shown the same way everywhere: a moment, a phone number, an id, a piece of code.

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use super::icon::{Icon, icon};
use crate::{
    api::values::At,
    state::{clock::Clock, format, phone},
    words::words,
};

/// “3 minutes ago”, exact on hover.
#[component]
pub fn Timestamp(#[prop(into)] at: Signal<At>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <time datetime=move || String::from(js_sys::Date::new(&at.get().0.into()).to_iso_string()) title=move || format::exact(at.get())>
            {move || format::relative(at.get(), clock.0.get())}
        </time>
    }
}

/// A phone number with its country, grouped for reading.
#[component]
pub fn PhoneNumberText(#[prop(into)] number: String) -> impl IntoView {
    view! {
        <span class="phone-number">
            {phone::region(&number).map(|region| view! { <span class="region" aria-hidden="true">{region}</span> })}
            {phone::grouped(&number)}
        </span>
    }
}

/// Copies text and shows that it did.
#[component]
pub fn CopyButton(#[prop(into)] text: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let promise = window().navigator().clipboard().write_text(&text);
            if JsFuture::from(promise).await.is_ok() {
                copied.set(true);
                Timeout::new(1_500, move || {
                    // The page may be gone by then.
                    let _ = copied.try_set(false);
                })
                .forget();
            }
        });
    };
    let name = move || if copied.get() { words().copied() } else { words().copy() };
    view! {
        <button class="icon-button small" type="button" aria-label=name title=name on:click=copy>
            {move || icon(if copied.get() { Icon::Check } else { Icon::Copy })}
        </button>
    }
}

/// Several lines to copy whole.
#[component]
pub fn CodeBlock(#[prop(into)] text: String) -> impl IntoView {
    view! {
        <div class="code-block">
            <pre tabindex="0"><code>{text.clone()}</code></pre>
            <CopyButton text />
        </div>
    }
}

/// An id: short to read, copied whole.
#[component]
pub fn IdText(#[prop(into)] id: String) -> impl IntoView {
    let short = if id.chars().count() > 18 {
        let start: String = id.chars().take(8).collect();
        let end: String = id.chars().skip(id.chars().count() - 6).collect();
        format!("{start}…{end}")
    } else {
        id.clone()
    };
    view! {
        <span class="id">
            <code title=id.clone()>{short}</code>
            <CopyButton text=id />
        </span>
    }
}

/// A term and its fact, in a `<dl>`.
#[component]
pub fn Fact(#[prop(into)] term: String, children: Children) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{term}</dt>
            <dd>{children()}</dd>
        </div>
    }
}
