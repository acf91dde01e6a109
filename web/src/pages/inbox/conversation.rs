//! One conversation: its head, its messages, the place to write.

use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_location, use_navigate},
};

use super::{
    bubble::Bubble,
    chat_list::{initial, title},
    composer::Composer,
    details::DetailsDrawer,
    mentioning,
    thread::{Item, Stage, Thread},
};
use crate::{
    api::{
        chats::{self, Chat},
        events::Event,
        messages::Written,
    },
    components::{
        button::{Button, ButtonLink},
        facts::PhoneNumberText,
        icon::{Icon, icon},
        states::{EmptyState, ErrorState, Loaded, Skeleton},
        windowed::{Windowed, windowed},
    },
    state::{
        format, live,
        remote::{Load, Remote},
        session::use_session,
    },
    words::words,
};

/// Within this many pixels of the end one is reading the newest.
const NEAR_END: i32 = 120;

#[component]
pub fn Conversation(id: String) -> impl IntoView {
    let remote = Remote::new({
        let id = id.clone();
        move || chats::get(id.clone())
    });
    let wanted = id.clone();
    let navigate = use_navigate();
    let times_joined = RwSignal::new(0_u32);
    live::on_event(move |event| {
        if let Event::ChatsJoined(joined) = event
            && let Some(chat) = &joined.chat
            && chat.id.inner() == wanted
        {
            // Messages of the other chat belong here now.
            times_joined.update(|times| *times += 1);
        } else if let Event::ChatsJoined(joined) = event
            && let Some(chat) = &joined.chat
            && joined.gone_id.inner() == wanted
        {
            let here = NavigateOptions {
                replace: true,
                ..NavigateOptions::default()
            };
            navigate(&format!("/inbox/{}", chat.id.inner()), here);
        }
        if let Some(chat) = event.chat()
            && chat.id.inner() == wanted
        {
            remote.patch(|known| *known = Some(chat.clone()));
        } else if let Some(message) = event.message()
            && message.chat.id.inner() == wanted
        {
            remote.patch(|known| {
                if let Some(known) = known {
                    known.unread_count = message.chat.unread_count;
                }
            });
        }
    });
    let there = Memo::new(move |_| remote.value.with(|value| matches!(value, Load::Ready(Some(_)))));
    let id = StoredValue::new(id);
    view! {
        <Loaded remote rows=5 shape="block">
            {move || if there.get() {
                times_joined.track();
                view! { <Open id=id.get_value() remote /> }.into_any()
            } else {
                view! {
                    <EmptyState symbol=Icon::Inbox title=words().no_such_chat()>
                        <ButtonLink href="/inbox" label=words().to_inbox() />
                    </EmptyState>
                }.into_any()
            }}
        </Loaded>
    }
}

#[component]
fn Open(id: String, remote: Remote<Option<Chat>>) -> impl IntoView {
    let session = use_session();
    let Load::Ready(Some(first)) = remote.value.get_untracked() else {
        return ().into_any();
    };
    let chat = Memo::new(move |before: Option<&Chat>| {
        remote.value.with(|value| match value {
            Load::Ready(Some(chat)) => chat.clone(),
            _ => before.cloned().unwrap_or_else(|| first.clone()),
        })
    });
    let thread = Thread::of(id);
    let shown = RwSignal::new(None::<String>);
    let scroller = NodeRef::<html::Div>::new();
    let unseen = RwSignal::new(0_u32);
    let at_end = RwSignal::new(true);

    let mark = move || {
        let chat = chat.get_untracked();
        if chat.unread_count > 0 && session.may_write() {
            spawn_local(async move {
                if let Ok(read) = chats::mark_read(chat.id).await {
                    remote.patch(|known| *known = Some(read));
                }
            });
        }
    };
    let to_end = move || {
        if let Some(scroller) = scroller.get_untracked() {
            scroller.set_scroll_top(scroller.scroll_height());
        }
        unseen.set(0);
        at_end.set(true);
    };
    // Marked read while somebody can see it: on opening, and when a message comes in at the end.
    let unread = Memo::new(move |_| chat.with(|chat| chat.unread_count));
    Effect::new(move |_| {
        let visible = document().visibility_state() == web_sys::VisibilityState::Visible;
        if unread.get() > 0 && at_end.get() && visible {
            mark();
        }
    });
    let focus = window_event_listener(leptos::ev::focus, move |_| {
        if at_end.try_get_untracked() == Some(true) {
            mark();
        }
    });
    on_cleanup(move || focus.remove());
    // The newest comes into sight, unless somebody reads further up.
    Effect::new(move |before: Option<(bool, u32)>| {
        let ready = thread.stage.get() == Stage::Ready;
        let arrived = thread.arrived.get();
        thread.grown.track();
        let (was_ready, seen) = before.unwrap_or((false, 0));
        if ready && (!was_ready || at_end.get_untracked()) {
            request_animation_frame(to_end);
        } else if ready && arrived > seen {
            unseen.update(|unseen| *unseen += arrived - seen);
        }
        (ready, arrived)
    });
    let scrolled = move |_| {
        let Some(scroller) = scroller.get_untracked() else {
            return;
        };
        let left = scroller.scroll_height() - scroller.scroll_top() - scroller.client_height();
        at_end.set(left < NEAR_END);
        if left < NEAR_END {
            unseen.set(0);
        }
    };
    let items = thread.items();
    let people = mentioning::people(thread, chat);
    let rows = Windowed::of(items, Item::key, move |item| match item {
        Item::Day(_, heading) => view! { <li class="day" data-heading=""><span>{heading}</span></li> }.into_any(),
        Item::Bubble(_, entry) => view! { <Bubble entry thread chat shown /> }.into_any(),
    });
    let rows = StoredValue::new_local(rows.staying_at_end().growing_upwards(thread.near_start));
    view! {
        <Head chat />
        <div class="thread" node_ref=scroller on:scroll=scrolled tabindex="0" role="region" aria-label=words().messages()>
            {move || match thread.stage.get() {
                Stage::Loading => view! { <Skeleton rows=5 shape="bubble" /> }.into_any(),
                Stage::Failed(error) => view! { <ErrorState error on_retry=move |()| thread.load() /> }.into_any(),
                Stage::Ready => view! {
                    <div class="older">
                        {move || if thread.loading_older.get() {
                            view! { <span class="spinner"></span> }.into_any()
                        } else if thread.older_failed.get() {
                            view! { <Button label=words().load_older() on_press=move |()| thread.load_older() /> }.into_any()
                        } else {
                            ().into_any()
                        }}
                    </div>
                    <ol class="bubbles" data-testid="thread" use:windowed=rows.get_value()></ol>
                    <p class="visually-hidden" aria-live="polite">{move || thread.heard.get()}</p>
                }.into_any(),
            }}
        </div>
        <Show when=move || { unseen.get() > 0 }>
            <button type="button" class="unseen" on:click=move |_| to_end()>
                {icon(Icon::ArrowDown)}
                {move || words().new_messages(i32::try_from(unseen.get()).unwrap_or(i32::MAX))}
            </button>
        </Show>
        {if session.may_write() {
            view! { <Composer chat people on_send=move |text: Written| thread.send(&chat.get_untracked(), text) /> }.into_any()
        } else {
            view! { <p class="read-only">{words().read_only()}</p> }.into_any()
        }}
        <DetailsDrawer thread shown />
    }
    .into_any()
}

#[component]
fn Head(chat: Memo<Chat>) -> impl IntoView {
    let location = use_location();
    let name = Memo::new(move |_| chat.with(title));
    let back = move || {
        let search = location.search.get();
        if search.is_empty() {
            "/inbox".to_owned()
        } else {
            format!("/inbox?{}", search.trim_start_matches('?'))
        }
    };
    view! {
        <header class="conversation-head">
            <A href=back attr:class="icon-button back-to-list" attr:aria-label=words().to_inbox()>{icon(Icon::ArrowLeft)}</A>
            <span class="avatar medium" aria-hidden="true">{move || name.with(|name| initial(name))}</span>
            <div class="conversation-title">
                <h1 data-testid="chat-name">{name}</h1>
                <p class="sub">
                    {move || chat.with(number_beside).map(|number| view! {
                        <PhoneNumberText number />
                        <span aria-hidden="true">"·"</span>
                    })}
                    {move || {
                        let device = chat.with(|chat| chat.device.clone());
                        view! { <A href=format!("/devices/{}", device.id.inner())>{words().via_device(&device.name)}</A> }
                    }}
                </p>
            </div>
            <span class="visually-hidden" aria-live="polite">
                {move || chat.with(|chat| (chat.unread_count > 0).then(|| format::number(chat.unread_count)))}
            </span>
        </header>
    }
}

/// The number, unless the chat is called by it.
fn number_beside(chat: &Chat) -> Option<String> {
    let number = chat.phone_number.as_ref()?;
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    (digits(&chat.name) != digits(&number.0)).then(|| number.0.clone())
}
