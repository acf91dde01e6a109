//! Where one writes: Enter sends, Shift+Enter begins a line, a draft waits until one comes back.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use leptos::{ev, html, prelude::*};

use crate::{
    api::chats::Chat,
    components::icon::{Icon, icon},
    state::format,
    words::words,
};

const LONGEST: usize = 4096;
/// The counter shows from here on.
const NEAR: usize = 3800;

thread_local! {
    static DRAFTS: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
    /// What was chosen last, until the page is loaded anew.
    static PREVIEWS: Cell<bool> = const { Cell::new(false) };
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Written {
    pub body: String,
    /// Whether what the page behind its link says is to be shown.
    pub link_preview: bool,
}

#[component]
pub fn Composer(chat: Memo<Chat>, #[prop(into)] on_send: Callback<Written>) -> impl IntoView {
    let id = chat.with_untracked(|chat| chat.id.inner().to_owned());
    let text = RwSignal::new(DRAFTS.with_borrow(|drafts| drafts.get(&id).cloned().unwrap_or_default()));
    let input = NodeRef::<html::Textarea>::new();
    let length = Memo::new(move |_| text.with(|text| text.chars().count()));
    let has_link = Memo::new(move |_| text.with(|text| ["https://", "http://"].iter().any(|link| text.contains(link))));
    let previews = RwSignal::new(PREVIEWS.get());
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
    let send = move || {
        let body = text.get_untracked().trim().to_owned();
        if !body.is_empty() && !too_long.get_untracked() {
            let link_preview = has_link.get_untracked() && previews.get_untracked();
            text.set(String::new());
            on_send.run(Written { body, link_preview });
            if let Some(input) = input.get_untracked() {
                let _ = input.focus();
            }
        }
    };
    let keys = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
            event.prevent_default();
            send();
        }
    };
    view! {
        <form
            class="composer" data-testid="composer"
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <Show when=move || has_link.get()>
                <label class="composer-preview">
                    <input
                        type="checkbox" data-testid="composer-preview" prop:checked=previews
                        on:change=move |event| {
                            previews.set(event_target_checked(&event));
                            PREVIEWS.set(previews.get_untracked());
                        }
                    />
                    {words().link_preview()}
                </label>
            </Show>
            <label class="visually-hidden" for="message">{words().write_message()}</label>
            <textarea
                node_ref=input id="message" rows="1" placeholder=words().write_message() data-testid="composer-text"
                aria-invalid=move || too_long.get().then_some("true") aria-describedby="message-length"
                prop:value=text on:input=move |event| text.set(event_target_value(&event)) on:keydown=keys
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
