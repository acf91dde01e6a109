//! Where one writes: Enter sends, Shift+Enter begins a line, a draft waits until one comes back.

use std::{cell::RefCell, collections::HashMap};

use leptos::{ev, html, prelude::*};

use super::{
    mentioning::{self, Person, Picker, option_id},
    preview::{self, PreviewChoice},
};
use crate::{
    api::{chats::Chat, messages::Written},
    components::icon::{Icon, icon},
    state::format,
    words::words,
};

const LONGEST: usize = 4096;
/// The counter shows from here on.
const NEAR: usize = 3800;

thread_local! {
    static DRAFTS: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
}

#[component]
pub fn Composer(
    chat: Memo<Chat>,
    people: Memo<Vec<Person>>,
    #[prop(into)] on_send: Callback<Written>,
) -> impl IntoView {
    let id = chat.with_untracked(|chat| chat.id.inner().to_owned());
    let text = RwSignal::new(DRAFTS.with_borrow(|drafts| drafts.get(&id).cloned().unwrap_or_default()));
    let input = NodeRef::<html::Textarea>::new();
    let length = Memo::new(move |_| text.with(|text| text.chars().count()));
    let too_long = Memo::new(move |_| length.get() > LONGEST);
    Effect::new(move |_| {
        let draft = text.get();
        DRAFTS.with_borrow_mut(|drafts| {
            if draft.is_empty() {
                drafts.remove(&id)
            } else {
                drafts.insert(id.clone(), draft)
            }
        });
    });
    Effect::new(move |_| {
        // On a touch screen the keyboard would cover the conversation one came to read.
        let mouse = window()
            .match_media("(pointer: fine)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches());
        if let Some(input) = input.get().filter(|_| mouse) {
            let _ = input.focus();
        }
    });
    let Asking {
        found,
        at,
        look,
        choose,
        close,
    } = Asking::new(text, people, input);
    let is_asking = Memo::new(move |_| found.with(|found| !found.is_empty()));
    let send = move || {
        let written = text.get_untracked().trim().to_owned();
        if !written.is_empty() && !too_long.get_untracked() {
            let link_preview = preview::wanted(&written);
            let (body, mentions, mentions_everyone) =
                people.with_untracked(|people| mentioning::sent(&written, people));
            text.set(String::new());
            close.run(());
            on_send.run(Written {
                body,
                link_preview,
                mentions,
                mentions_everyone,
            });
            if let Some(input) = input.get_untracked() {
                let _ = input.focus();
            }
        }
    };
    let keys = move |event: ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let people = found.get_untracked();
        let count = people.len();
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Escape" if count > 0 => close.run(()),
            "Enter" | "Tab" if count > 0 && !event.shift_key() => {
                if let Some(person) = people.into_iter().nth(at.get_untracked()) {
                    choose.run(person);
                }
            }
            "Enter" if !event.shift_key() => send(),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <form
            class="composer" data-testid="composer"
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <PreviewChoice text testid="composer-preview" />
            <Show when=move || is_asking.get()>
                <Picker found at on_choose=choose />
            </Show>
            <label class="visually-hidden" for="message">{words().write_message()}</label>
            <textarea
                node_ref=input id="message" rows="1" placeholder=words().write_message() data-testid="composer-text"
                aria-invalid=move || too_long.get().then_some("true") aria-describedby="message-length"
                aria-autocomplete=move || people.with(|people| (!people.is_empty()).then_some("list"))
                aria-controls=move || is_asking.get().then_some("mention-picker")
                aria-activedescendant=move || is_asking.get().then(|| option_id(at.get()))
                prop:value=text on:keydown=keys on:click=move |_| look.run(()) on:blur=move |_| close.run(())
                on:input=move |event| {
                    text.set(event_target_value(&event));
                    look.run(());
                }
            ></textarea>
            <span class="composer-length" id="message-length" class:over=too_long>
                {move || (length.get() > NEAR).then(|| {
                    let length = i32::try_from(length.get()).unwrap_or(i32::MAX);
                    format!("{} / {}", format::number(length), format::number(4096))
                })}
            </span>
            <button
                type="submit" class="send" aria-label=words().send() title=words().send() data-testid="send"
                disabled=move || text.with(|text| text.trim().is_empty()) || too_long.get()
            >
                {icon(Icon::Send)}
            </button>
        </form>
    }
}

/// Whom the text asks for where one writes.
#[derive(Clone, Copy)]
struct Asking {
    /// Those who fit; nobody while nobody is asked for.
    found: RwSignal<Vec<Person>>,
    /// Which of them Enter chooses.
    at: RwSignal<usize>,
    look: Callback<()>,
    choose: Callback<Person>,
    close: Callback<()>,
}

impl Asking {
    fn new(text: RwSignal<String>, people: Memo<Vec<Person>>, input: NodeRef<html::Textarea>) -> Self {
        let found = RwSignal::new(Vec::new());
        let at = RwSignal::new(0);
        let asked = move || {
            let before = before_caret(&text.get_untracked(), caret(input)?).to_owned();
            people.with_untracked(|people| mentioning::asked(&before, people))
        };
        let show = move |people: Vec<Person>| {
            if found.with_untracked(|known| *known != people) {
                at.set(0);
                found.set(people);
            }
        };
        let choose = move |person: Person| {
            let Some((start, _)) = asked() else { return };
            let written = text.get_untracked();
            let end = caret(input).map_or(written.len(), |caret| before_caret(&written, caret).len());
            let before = format!("{}@{} ", &written[..start], person.label);
            let changed = format!("{before}{}", &written[end..]);
            let caret = u32::try_from(before.encode_utf16().count()).ok();
            if let Some(input) = input.get_untracked() {
                input.set_value(&changed);
                let _ = input.focus();
                if let Some(caret) = caret {
                    let _ = input.set_selection_range(caret, caret);
                }
            }
            text.set(changed);
            show(Vec::new());
        };
        Self {
            found,
            at,
            look: Callback::new(move |()| show(asked().map(|(_, found)| found).unwrap_or_default())),
            choose: Callback::new(choose),
            close: Callback::new(move |()| show(Vec::new())),
        }
    }
}

/// Where one writes, as the browser counts.
fn caret(input: NodeRef<html::Textarea>) -> Option<u32> {
    input.get_untracked()?.selection_start().ok().flatten()
}

/// What stands before the caret: a browser counts in UTF-16.
fn before_caret(text: &str, caret: u32) -> &str {
    let mut units = 0;
    for (place, letter) in text.char_indices() {
        if units >= caret as usize {
            return &text[..place];
        }
        units += letter.len_utf16();
    }
    text
}
