//! The list of chats: of one device or all, searched, live, the most recent first.

use leptos::prelude::*;
use leptos_router::{
    components::A,
    hooks::{query_signal_with_options, use_location, use_navigate},
};

use super::text::line;
use crate::{
    api::{
        chats::{self, Chat, ChatFilter, ChatKind},
        events::Event,
        messages::{Direction, Message},
    },
    components::{
        badge::Ticks,
        button::IconButton,
        device_picker::{DevicePicker, Which},
        field::SearchField,
        icon::{Icon, icon},
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    pages::devices::{Chip, in_place},
    state::{
        clock::Clock,
        format, live,
        paged::{Page, Paged},
        phone,
        rows::Rows,
        session::use_session,
        soon::Soon,
    },
    words::words,
};

const PAGE_SIZE: i32 = 50;
const PAUSE_MS: u32 = 400;

fn key(chat: &Chat) -> String {
    chat.id.inner().to_owned()
}

fn rank(chat: &Chat) -> f64 {
    chat.last_message_at.map_or(0.0, |at| at.0)
}

#[component]
pub fn ChatList(
    chat: Memo<Option<String>>,
    device: Memo<Option<String>>,
    #[prop(into)] on_new: Callback<()>,
) -> impl IntoView {
    let session = use_session();
    let (text, set_text) = query_signal_with_options::<String>("q", in_place());
    let (unread, set_unread) = query_signal_with_options::<String>("show", in_place());
    let filter = move || ChatFilter {
        unread: unread.get().filter(|show| show == "unread").map(|_| true),
        text: text.get().filter(|text| !text.trim().is_empty()),
    };
    let list = Paged::new(
        key,
        move || (device.get(), filter()),
        |(device, filter), after| async move {
            let page = chats::list(device, filter, PAGE_SIZE, after).await?;
            Ok(Page::new(page.nodes, page.page_info))
        },
    );
    let list = list.only(move |chat| chat.unread_count > 0 || untrack(filter).unread.is_none());
    let rows = list.rows;
    let soon = Soon::new(PAUSE_MS, move || list.first.refresh());
    live::on_event(move |event| {
        if let Event::ChatsJoined(joined) = event {
            rows.remove(joined.gone_id.inner());
        }
        let known = event
            .chat()
            .is_some_and(|chat| rows.update(chat.id.inner(), chat.clone()));
        let seen = event.message().is_some_and(|message| note(rows, message));
        if known || seen {
            rows.sort_by_rank(rank);
        }
        // A chat that is not shown yet, or may no longer belong here.
        if (event.chat().is_some() && !known) || (event.message().is_some() && !seen) {
            soon.call();
        }
    });
    let open = chat;
    let draw = move |(id, chat)| {
        let show_device = Signal::derive(move || device.with(Option::is_none));
        view! { <ChatRow id chat open show_device /> }.into_any()
    };
    let filtered = Memo::new(move |_| unread.get().is_some() || text.get().is_some_and(|text| !text.is_empty()));
    view! {
        <section class="chat-list" aria-label=words().chats()>
            <header class="chat-list-head">
                // The page is about the chat that is open, if one is: its name is the heading then.
                <h1 attr:aria-level=move || chat.with(|open| open.as_ref().map(|_| "2"))>{words().inbox()}</h1>
                {session.may_write().then(|| view! {
                    <IconButton symbol=Icon::Plus name=words().new_chat() on_press=on_new testid="new-chat" />
                })}
            </header>
            <div class="chat-list-filters">
                <DeviceChoice device chat />
                <SearchField
                    label=words().search_chats() value=Signal::derive(move || text.get().unwrap_or_default())
                    on_input=move |wanted: String| set_text.set(Some(wanted).filter(|wanted| !wanted.is_empty()))
                />
                <div class="chips" role="group" aria-label=words().show()>
                    <Chip label=words().all() name=None chosen=unread.into() on_choose=move |name| set_unread.set(name) />
                    <Chip
                        label=words().unread() name=Some("unread") chosen=unread.into()
                        on_choose=move |name| set_unread.set(name)
                    />
                </div>
            </div>
            <div class="chat-rows">
                <Loaded remote=list.first rows=8 shape="chat">
                    {move || list.empty.get().then(|| if filtered.get() {
                        view! { <EmptyState title=words().no_chat_matches() text=words().no_match_text() /> }.into_any()
                    } else {
                        view! { <EmptyState symbol=Icon::Inbox title=words().no_chats() text=words().no_chats_text() /> }.into_any()
                    })}
                    <ul data-testid="chats" use:windowed=Windowed::paged(list, draw)></ul>
                    <MoreRows list />
                </Loaded>
            </div>
        </section>
    }
}

/// Shows a message as the last of its chat, or its new status; false when the chat is not in the list.
fn note(rows: Rows<Chat>, message: &Message) -> bool {
    let id = message.chat.id.inner();
    let Some(mut chat) = rows.get(id) else { return false };
    chat.unread_count = message.chat.unread_count;
    let newer = chat
        .last_message
        .as_ref()
        .is_none_or(|last| last.id == message.id || last.created_at <= message.created_at);
    if newer {
        chat.last_message_at = Some(message.created_at);
        chat.last_message = Some(message.clone());
    }
    rows.update(id, chat);
    true
}

#[component]
fn DeviceChoice(device: Memo<Option<String>>, chat: Memo<Option<String>>) -> impl IntoView {
    let navigate = use_navigate();
    let choose = move |id: String| {
        let chat = chat.get_untracked().map(|chat| format!("/{chat}")).unwrap_or_default();
        let query = if id.is_empty() {
            String::new()
        } else {
            format!("?device={id}")
        };
        navigate(&format!("/inbox{chat}{query}"), in_place());
    };
    view! {
        <DevicePicker
            id="inbox-device" label=words().device() label_hidden=true which=Which::All none=words().all_devices()
            value=Signal::derive(move || device.get().unwrap_or_default()) on_choose=choose
        />
    }
}

#[component]
fn ChatRow(
    id: String,
    chat: ArcRwSignal<Chat>,
    open: Memo<Option<String>>,
    show_device: Signal<bool>,
) -> impl IntoView {
    let chat = RwSignal::from(chat);
    let location = use_location();
    expect_context::<Clock>();
    let current = {
        let id = id.clone();
        Memo::new(move |_| open.with(|open| open.as_deref() == Some(id.as_str())))
    };
    let href = {
        let id = id.clone();
        move || {
            format!(
                "/inbox/{id}{}",
                location.search.with(|search| query_without_new(search))
            )
        }
    };
    let name = Memo::new(move |_| chat.with(title));
    let unread = Memo::new(move |_| chat.with(|chat| chat.unread_count));
    view! {
        <li>
            <A
                href=href attr:class="chat-row" attr:data-row="" attr:data-testid="chat-row" attr:data-chat=id
                attr:data-current=move || current.get().then_some("")
            >
                <span class="avatar medium" aria-hidden="true">{move || name.with(|name| initial(name))}</span>
                <span class="chat-words">
                    <span class="chat-line">
                        <span class="chat-name">{name}</span>
                        <span class="chat-time">
                            {move || chat.with(|chat| chat.last_message_at).map(format::time_or_day)}
                        </span>
                    </span>
                    <span class="chat-line">
                        <span class="chat-last">{move || chat.with(|chat| chat.last_message.clone()).map(last_line)}</span>
                        {move || (unread.get() > 0).then(|| view! {
                            <span class="unread-count" data-testid="unread">
                                {format::number(unread.get())}
                                <span class="visually-hidden">" " {words().unread()}</span>
                            </span>
                        })}
                    </span>
                    {move || show_device.get().then(|| view! {
                        <span class="chat-device">{chat.with(|chat| chat.device.name.clone())}</span>
                    })}
                </span>
            </A>
        </li>
    }
}

fn last_line(message: Message) -> impl IntoView {
    let out = message.direction == Direction::Out;
    view! {
        {out.then(|| view! { <Ticks status=message.status /> })}
        <span class="chat-text">{line(&message.content)}</span>
    }
}

/// What a chat is called: its name, or its number grouped for reading.
pub fn title(chat: &Chat) -> String {
    readable(&chat.name, chat.kind)
}

fn readable(name: &str, kind: ChatKind) -> String {
    let number = name.strip_prefix('+').unwrap_or(name);
    if kind == ChatKind::Direct && number.len() > 6 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        phone::grouped(name)
    } else {
        name.to_owned()
    }
}

/// The first letter, or a sign for a bare number.
pub fn initial(name: &str) -> AnyView {
    match name.chars().next().filter(|letter| letter.is_alphabetic()) {
        Some(letter) => letter.to_uppercase().collect::<String>().into_any(),
        None => icon(Icon::Phone).into_any(),
    }
}

/// The address's filters, without the wish for a new chat.
fn query_without_new(search: &str) -> String {
    let kept: Vec<&str> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("new="))
        .collect();
    if kept.is_empty() {
        String::new()
    } else {
        format!("?{}", kept.join("&"))
    }
}
