//! Form fields: label, hint, error at the field.

use leptos::{html, prelude::*};

use super::icon::{Icon, icon};

/// A line of text with its label.
#[component]
pub fn TextField(
    id: &'static str,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] kind: Option<&'static str>,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] input_mode: Option<&'static str>,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] max_length: Option<u32>,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] list: Option<&'static str>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    if autofocus {
        Effect::new(move |_| {
            if let Some(input) = input.get() {
                // A field that cannot take focus is simply not focused.
                let _ = input.focus();
            }
        });
    }
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let described = {
        let (hint_id, error_id, has_hint) = (hint_id.clone(), error_id.clone(), !hint.is_empty());
        move || match (error.with(Option::is_some), has_hint) {
            (true, _) => Some(error_id.clone()),
            (false, true) => Some(hint_id.clone()),
            (false, false) => None,
        }
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                node_ref=input id=id name=id type=kind.unwrap_or("text") autocomplete=autocomplete.unwrap_or("off")
                inputmode=input_mode placeholder=placeholder required=required maxlength=max_length list=list
                spellcheck="false" data-testid=id
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {move || error.get().map(|error| {
                let error_id = error_id.clone();
                view! { <p class="field-error" id=error_id role="alert">{icon(Icon::Warning)}<span>{error}</span></p> }
            })}
        </div>
    }
}

/// What is wrong, where no single field is to blame.
#[component]
pub fn FieldError(#[prop(into)] text: String) -> impl IntoView {
    view! { <p class="field-error" role="alert">{icon(Icon::Warning)}<span>{text}</span></p> }
}

/// A whole number in a table or beside a label.
#[component]
pub fn NumberInput(
    id: String,
    value: RwSignal<String>,
    /// For screen readers, where no label stands.
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    view! {
        <input
            class="number" id=id.clone() data-testid=id type="text" inputmode="numeric" autocomplete="off"
            aria-label=name prop:value=value on:input=move |event| value.set(event_target_value(&event))
        />
    }
}

/// A choice among a few.
#[component]
pub fn Select(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    /// Value and words of each option.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(optional)] label_hidden: bool,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id.clone() class:visually-hidden=label_hidden>{label}</label>
            <span class="select">
                <select
                    id=id.clone() name=id.clone() data-testid=id
                    on:change=move |event| on_change.run(event_target_value(&event))
                    prop:value=move || { options.track(); value.get() }
                >
                    {move || options.get().into_iter().map(|(option, words)| {
                        let selected = { let option = option.clone(); move || value.get() == option };
                        view! { <option value=option selected=selected>{words}</option> }
                    }).collect_view()}
                </select>
                {icon(Icon::ChevronDown)}
            </span>
        </div>
    }
}

/// On or off, taking effect at once.
#[component]
pub fn Switch(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: String,
    #[prop(into)] on: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
) -> impl IntoView {
    view! {
        <label class="switch-row">
            <span class="switch-words">
                <span>{label}</span>
                {(!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> })}
            </span>
            <input
                class="switch" type="checkbox" role="switch" id=id data-testid=id prop:checked=on
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
        </label>
    }
}

/// The search box of a list; `/` jumps to it.
#[component]
pub fn SearchField(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
) -> impl IntoView {
    view! {
        <label class="search">
            {icon(Icon::Search)}
            <span class="visually-hidden">{label.clone()}</span>
            <input
                type="search" placeholder=label autocomplete="off" data-search="" prop:value=value
                on:input=move |event| on_input.run(event_target_value(&event))
            />
        </label>
    }
}
