//! One message: its text, its time, its ticks, and what can be done when it failed.

use leptos::prelude::*;

use super::{
    text::{plain, rich},
    thread::{Entry, Thread, time},
};
use crate::{
    api::{
        chats::Chat,
        messages::{Direction, LinkPreview, Message, MessageContent, MessageStatus},
    },
    components::{
        badge::Ticks,
        icon::{Icon, icon},
        toast::use_toasts,
    },
    state::{format, session::use_session},
    words::words,
};

#[component]
pub fn Bubble(
    entry: ArcRwSignal<Entry>,
    thread: Thread,
    chat: Memo<Chat>,
    shown: RwSignal<Option<String>>,
) -> impl IntoView {
    let entry = RwSignal::from(entry);
    let out = entry.with_untracked(|entry| match entry {
        Entry::Stored(message) => message.direction == Direction::Out,
        Entry::Pending { .. } => true,
    });
    let status = Memo::new(move |_| entry.with(status_of));
    let time = format::time(entry.with_untracked(time));
    let id = entry.with_untracked(|entry| match entry {
        Entry::Stored(message) => Some(message.id.inner().to_owned()),
        Entry::Pending { .. } => None,
    });
    let stamp = move || {
        view! {
            <span class="stamp">{time.clone()}</span>
            {out.then(|| view! { <Ticks status=status.get() /> })}
        }
    };
    let stamp = move || match id.clone() {
        Some(id) => view! {
            <button
                type="button" class="bubble-meta" title=words().message_details()
                on:click=move |_| shown.set(Some(id.clone()))
            >
                {stamp()}
                <span class="visually-hidden">{words().message_details()}</span>
            </button>
        }
        .into_any(),
        None => view! { <span class="bubble-meta">{stamp()}</span> }.into_any(),
    };
    view! {
        <li
            class="bubble" class:out=out class:failed=move || status.get() == MessageStatus::Failed
            data-testid="message" data-direction=if out { "OUT" } else { "IN" }
            data-status=move || format!("{:?}", status.get())
        >
            <div class="bubble-body">
                {entry.with_untracked(author)}
                {move || entry.with(body)}
                {stamp}
            </div>
            <Failure entry thread chat />
        </li>
    }
}

fn status_of(entry: &Entry) -> MessageStatus {
    match entry {
        Entry::Stored(message) => message.status,
        Entry::Pending { refused: Some(_), .. } => MessageStatus::Failed,
        Entry::Pending { .. } => MessageStatus::Queued,
    }
}

/// In groups, who wrote it.
fn author(entry: &Entry) -> Option<AnyView> {
    let Entry::Stored(message) = entry else { return None };
    let group = message.chat.phone_number.is_none() && message.direction == Direction::In;
    let name = message
        .sender
        .name
        .clone()
        .or_else(|| message.sender.phone_number.clone().map(|number| number.0))?;
    group.then(|| view! { <p class="bubble-author">{name}</p> }.into_any())
}

fn body(entry: &Entry) -> AnyView {
    match entry {
        Entry::Pending { written, .. } => plain(&written.body).into_any(),
        Entry::Stored(message) => match &message.content {
            MessageContent::TextContent(text) => {
                view! { {text.link_preview.as_ref().map(card)} {rich(text)} }.into_any()
            }
            other => view! { <p class="bubble-text other">{other.text().to_owned()}</p> }.into_any(),
        },
    }
}

/// What the page behind a link says of itself. Somebody else may have chosen the address: only those of the web lead on.
fn card(preview: &LinkPreview) -> impl IntoView + use<> {
    let address = preview.url.trim();
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (start, rest) = address.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let host = rest
        .unwrap_or(address)
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let href = rest.is_some().then(|| address.to_owned());
    let picture = preview
        .thumbnail
        .clone()
        .filter(|url| url.starts_with("data:image/jpeg;base64,"));
    view! {
        <a class="link-card" href=href rel="external noopener noreferrer" target="_blank" data-testid="link-preview">
            {picture.map(|picture| view! { <img src=picture alt="" /> })}
            <span class="link-card-words">
                <span class="link-card-title">{preview.title.clone()}</span>
                {preview.description.clone().map(|text| view! { <span class="link-card-text">{text}</span> })}
                <span class="link-card-host">{host}</span>
            </span>
        </a>
    }
}

/// Why it failed and the way to try again; or the way to take back what waits.
#[component]
fn Failure(entry: RwSignal<Entry>, thread: Thread, chat: Memo<Chat>) -> impl IntoView {
    let toasts = use_toasts();
    let may_write = use_session().may_write();
    move || match entry.get() {
        Entry::Stored(message) if message.status == MessageStatus::Failed => {
            let reason = failure(&message).unwrap_or_else(|| words().message_status(MessageStatus::Failed).to_owned());
            let retry = move |_| thread.retry(&message, move |error| toasts.fail(error));
            view! {
                <p class="bubble-failure">
                    <span>{reason}</span>
                    {may_write.then(|| view! {
                        <button type="button" class="text-button" data-testid="retry" on:click=retry>
                            {icon(Icon::Refresh)}{words().retry()}
                        </button>
                    })}
                </p>
            }
            .into_any()
        }
        Entry::Pending {
            key,
            written,
            refused: Some(reason),
            ..
        } => {
            let again = move |_| thread.send_again(&chat.get_untracked(), key.clone(), written.clone());
            view! {
                <p class="bubble-failure">
                    <span>{reason}</span>
                    <button type="button" class="text-button" data-testid="retry" on:click=again>
                        {icon(Icon::Refresh)}{words().retry()}
                    </button>
                </p>
            }
            .into_any()
        }
        Entry::Stored(message) if waits(&message) && may_write => {
            let cancel = move |_| thread.cancel(&message, move |error| toasts.fail(error));
            view! {
                <p class="bubble-waiting">
                    <span>{words().waits_for_device()}</span>
                    <button type="button" class="text-button" on:click=cancel>{words().cancel()}</button>
                </p>
            }
            .into_any()
        }
        _ => ().into_any(),
    }
}

/// Queued for longer than a moment: the device is not connected.
fn waits(message: &Message) -> bool {
    message.status == MessageStatus::Queued && message.created_at.in_ms() < -4_000.0
}

/// Why a message failed, for people.
pub fn failure(message: &Message) -> Option<String> {
    let error = message.error.as_ref()?;
    let code = error
        .whatsapp_code
        .map_or_else(|| error.code.clone(), |number| format!("{} {number}", error.code));
    Some(words().failed_because(&error.message, &code))
}
