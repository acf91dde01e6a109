//! Buttons, and links that look like them.

use leptos::prelude::*;
use leptos_router::components::A;

use super::icon::{Icon, icon};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    Primary,
    #[default]
    Plain,
    Danger,
    /// No border: beside other things.
    Quiet,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Plain => "button",
            Self::Danger => "button danger",
            Self::Quiet => "button quiet",
        }
    }
}

/// A button with words. While busy it shows so and takes no second press.
#[component]
pub fn Button(
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] symbol: Option<Icon>,
    #[prop(optional, into)] busy: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <button
            class=kind.class()
            type=if on_press.is_some() { "button" } else { "submit" }
            class:busy=busy
            aria-busy=move || busy.get().then_some("true")
            disabled=disabled
            data-testid=testid
            on:click=move |event| {
                if busy.get_untracked() {
                    event.prevent_default();
                } else if let Some(on_press) = on_press {
                    on_press.run(());
                }
            }
        >
            {symbol.map(icon)}
            <span>{label}</span>
        </button>
    }
}

/// A button that is only an icon; its name is for screen readers and the tooltip.
#[component]
pub fn IconButton(
    symbol: Icon,
    #[prop(into)] name: Signal<String>,
    #[prop(into)] on_press: Callback<()>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <button
            class="icon-button" type="button" aria-label=name title=name data-testid=testid
            on:click=move |_| on_press.run(())
        >
            {icon(symbol)}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn ButtonLink(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] symbol: Option<Icon>,
) -> impl IntoView {
    view! {
        <A href=href attr:class=kind.class()>
            {symbol.map(icon)}
            <span>{label}</span>
        </A>
    }
}
