//! A field in which one types to find something among many, and chooses it.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use gloo_timers::callback::Timeout;
use leptos::{ev, html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;

use super::icon::{Icon, icon};
use crate::{
    api::error::ApiError,
    words::{self, words},
};

const PAUSE_MS: u32 = 150;

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called for the program; empty for choosing nothing in particular.
    pub value: String,
    pub label: String,
    pub detail: String,
}

/// What was found, and whether more would be.
pub type Found = Result<(Vec<Choice>, bool), ApiError>;
pub type Search = Rc<dyn Fn(String) -> LocalBoxFuture<'static, Found>>;

#[derive(Clone, PartialEq)]
enum Offer {
    Searching,
    Found(Vec<Choice>, bool),
    Failed(String),
}

#[component]
pub fn Combobox(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] label_hidden: bool,
    /// What is chosen, in words; shown while nobody types.
    #[prop(into)]
    chosen: Signal<String>,
    /// Finds what fits a text; everything fits no text.
    search: Search,
    #[prop(into)] on_choose: Callback<Choice>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let list = NodeRef::<html::Ul>::new();
    let open = RwSignal::new(false);
    let text = RwSignal::new(String::new());
    let offer = RwSignal::new(Offer::Searching);
    let at = RwSignal::new(0_usize);
    let turn = StoredValue::new(0_u32);
    let search = StoredValue::new_local(search);
    let begin = move |pause: u32| {
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        let current = move || turn.try_get_value() == Some(mine);
        Timeout::new(pause, move || {
            if !current() {
                return;
            }
            let answer = search.with_value(|search| search(text.get_untracked().trim().to_owned()));
            spawn_local(async move {
                let answer = answer.await;
                if current() {
                    at.set(0);
                    offer.set(match answer {
                        Ok((choices, more)) => Offer::Found(choices, more),
                        Err(error) => Offer::Failed(words::explain(&error)),
                    });
                }
            });
        })
        .forget();
    };
    let show = move || {
        if !open.get_untracked() {
            text.set(String::new());
            offer.set(Offer::Searching);
            open.set(true);
            begin(0);
        }
    };
    let hide = move || {
        turn.update_value(|turn| *turn += 1);
        open.set(false);
    };
    let count = move || match &*offer.read_untracked() {
        Offer::Found(choices, _) => choices.len(),
        Offer::Searching | Offer::Failed(_) => 0,
    };
    let take = Callback::new(move |index: usize| {
        let choice = offer.with_untracked(|offer| match offer {
            Offer::Found(choices, _) => choices.get(index).cloned(),
            Offer::Searching | Offer::Failed(_) => None,
        });
        if let Some(choice) = choice {
            hide();
            on_choose.run(choice);
        }
    });
    // What the arrows reach is brought into sight.
    Effect::new(move |_| {
        let at = at.get();
        if open.get()
            && let Some(list) = list.get()
            && let Some(option) = list.children().item(u32::try_from(at).unwrap_or(0))
        {
            let nearest = web_sys::ScrollIntoViewOptions::new();
            nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
            option.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    });
    let keys = move |event: ev::KeyboardEvent| {
        let shown = open.get_untracked();
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" if !shown => show(),
            "ArrowDown" if count() > 0 => at.update(|at| *at = (*at + 1) % count()),
            "ArrowUp" if count() > 0 => at.update(|at| *at = (*at + count() - 1) % count()),
            // In a form, Enter chooses and does not send; while nothing is open it sends.
            "Enter" if shown => take.run(at.get_untracked()),
            "Escape" if shown => {
                hide();
                // Only the list closes, not the dialog around it.
                event.stop_propagation();
            }
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div class="field combobox">
            <label for=id class:visually-hidden=label_hidden>{label.clone()}</label>
            <span class="select">
                <input
                    node_ref=input id=id type="text" role="combobox" autocomplete="off" spellcheck="false" data-testid=id
                    aria-expanded=move || if open.get() { "true" } else { "false" }
                    aria-controls=format!("{id}-list") aria-autocomplete="list"
                    aria-activedescendant=move || open.get().then(|| format!("{id}-{}", at.get()))
                    placeholder=move || if open.get() { words().name_or_number().to_owned() } else { chosen.get() }
                    prop:value=move || if open.get() { text.get() } else { chosen.get() }
                    on:click=move |_| show()
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        // Typing over what is chosen begins a search with what was typed.
                        show();
                        text.set(typed);
                        begin(PAUSE_MS);
                    }
                    on:focus=move |_| if let Some(input) = input.get_untracked() { input.select() }
                    on:keydown=keys on:blur=move |_| hide()
                />
                {icon(Icon::ChevronDown)}
            </span>
            <Show when=move || open.get()>
                <div
                    class="combobox-offer"
                    // The field keeps the focus.
                    on:mousedown=move |event| event.prevent_default()
                    on:click=move |event: ev::MouseEvent| {
                        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
                        let option = target.and_then(|target| target.closest("[data-index]").ok().flatten());
                        if let Some(index) = option.and_then(|option| option.get_attribute("data-index")?.parse().ok()) {
                            take.run(index);
                        }
                    }
                >
                    <ul node_ref=list role="listbox" id=format!("{id}-list") aria-label=label.clone()>
                        {move || match offer.get() {
                            Offer::Found(choices, _) => choices.into_iter().enumerate().map(|(index, choice)| view! {
                                <li
                                    class="palette-hit" role="option" id=format!("{id}-{index}") data-index=index
                                    aria-selected=move || if at.get() == index { "true" } else { "false" }
                                    on:mousemove=move |_| if at.get_untracked() != index { at.set(index) }
                                >
                                    <span>{choice.label}</span>
                                    <span class="palette-detail">{choice.detail}</span>
                                </li>
                            }).collect_view().into_any(),
                            Offer::Searching | Offer::Failed(_) => ().into_any(),
                        }}
                    </ul>
                    <p class="hint" role="status">
                        {move || match offer.get() {
                            Offer::Searching => words().loading().to_owned(),
                            Offer::Found(choices, _) if choices.is_empty() => words().nothing_found().to_owned(),
                            Offer::Found(_, true) => words().more_match().to_owned(),
                            Offer::Found(_, false) => String::new(),
                            Offer::Failed(why) => why,
                        }}
                    </p>
                </div>
            </Show>
        </div>
    }
}
