//! The event log for people: what happened, newest first, live, by kind.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::query_signal_with_options};

use super::devices::{Chip, in_place};
use crate::{
    api::{
        events::{self, Event, EventType},
        messages::{Direction, Message, MessageStatus},
        tenancy::TenantStatus,
        values::At,
    },
    components::{
        facts::Timestamp,
        icon::{Icon, icon},
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    state::{
        live,
        paged::{Page, Paged},
        phone,
    },
    words::words,
};

const PAGE_SIZE: i32 = 100;

/// What people want to see; that a chat changed or a code rotated says nothing to them.
const TELLING: [EventType; 5] = [
    EventType::DeviceStatus,
    EventType::MessageReceived,
    EventType::MessageStatus,
    EventType::QuotaWarning,
    EventType::TenantStatus,
];

const FILTERS: [(&str, EventType); 3] = [
    ("devices", EventType::DeviceStatus),
    ("received", EventType::MessageReceived),
    ("sent", EventType::MessageStatus),
];

fn types_of(name: Option<&str>) -> Vec<EventType> {
    match FILTERS.iter().find(|(known, _)| Some(*known) == name) {
        Some((_, kind)) => vec![*kind],
        None => TELLING.to_vec(),
    }
}

#[component]
pub fn ActivityPage() -> impl IntoView {
    let (show, set_show) = query_signal_with_options::<String>("show", in_place());
    view! {
        <div class="page">
            <header class="page-head"><h1>{words().activity()}</h1></header>
            <div class="filters">
                <div class="chips" role="group" aria-label=words().show()>
                    <Chip label=words().all() name=None chosen=show.into() on_choose=move |name| set_show.set(name) />
                    {FILTERS.into_iter().map(|(name, _)| view! {
                        <Chip
                            label=words().activity_filter(name) name=Some(name) chosen=show.into()
                            on_choose=move |name| set_show.set(name)
                        />
                    }).collect_view()}
                </div>
            </div>
            {move || view! { <ActivityFeed show=show.get() /> }}
        </div>
    }
}

/// The newest events; with `most`, only so many and no way to older ones.
#[component]
pub fn ActivityFeed(
    #[prop(optional_no_strip)] show: Option<String>,
    #[prop(optional)] most: Option<usize>,
) -> impl IntoView {
    let types = StoredValue::new(types_of(show.as_deref()));
    // More than are shown, since not every one is worth a line.
    let wanted = most
        .and_then(|most| i32::try_from(most * 3).ok())
        .unwrap_or(PAGE_SIZE)
        .min(PAGE_SIZE);
    let list = Paged::new(
        key,
        || (),
        move |(), before| async move {
            let page = events::newest(Some(types.get_value()), wanted, before).await?;
            let telling = page.nodes.into_iter().filter(tells).collect();
            Ok(Page::newest_first(telling, page.page_info))
        },
    );
    let rows = list.rows;
    live::on_event(move |event| {
        let belongs = types
            .try_with_value(|types| types.contains(&event.kind()))
            .unwrap_or(false)
            && tells(event);
        if belongs {
            rows.put_first(key(event), event.clone());
            if let Some(most) = most {
                rows.list.update(|rows| rows.truncate(most * 3));
            }
        }
    });
    let shown = Memo::new(move |_| {
        rows.list.with(|rows| {
            rows.iter()
                .take(most.unwrap_or(usize::MAX))
                .map(|(_, event)| event.get_untracked())
                .collect::<Vec<_>>()
        })
    });
    view! {
        <Loaded remote=list.first rows=6>
            {move || list.empty.get().then(|| view! {
                <EmptyState symbol=Icon::Activity title=words().no_activity() text=words().no_activity_text() />
            })}
            {if most.is_some() {
                view! {
                    <ul class="activity" data-testid="activity">
                        <For each=move || shown.get() key=key let:event>{line(&event)}</For>
                    </ul>
                }.into_any()
            } else {
                let rows = Windowed::paged(list, |(_, event)| event.with_untracked(line));
                view! {
                    <ul class="activity" data-testid="activity" use:windowed=rows></ul>
                    <MoreRows list label=words().load_older() />
                }.into_any()
            }}
        </Loaded>
    }
}

fn key(event: &Event) -> String {
    event.cursor().map_or_else(String::new, |cursor| cursor.0.clone())
}

/// That a message waits for its turn is no news; what becomes of it is.
fn tells(event: &Event) -> bool {
    let Event::MessageStatus(event) = event else {
        return true;
    };
    !matches!(
        event.status,
        MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Scheduled
    )
}

fn line(event: &Event) -> AnyView {
    match event {
        Event::DeviceStatus(event) => {
            let device = event.device.as_ref();
            let name = device.map_or_else(|| words().deleted_device().to_owned(), |device| device.name.clone());
            let href = device.map(|device| format!("/devices/{}", device.id.inner()));
            let status = words().device_status(event.device_status).to_lowercase();
            row(
                Icon::Phone,
                device_tone(event.device_status),
                name,
                status,
                event.reason.as_deref().map(|reason| words().device_reason(reason)),
                href,
                event.at,
            )
        }
        Event::MessageReceived(event) => about(event.message.as_ref(), None, event.at),
        Event::MessageStatus(event) => about(event.message.as_ref(), Some(event.status), event.at),
        Event::QuotaWarning(event) => {
            let meter = event.meter.map(|meter| words().meter(meter)).unwrap_or_default();
            row(
                Icon::Warning,
                if event.percent >= 100 { "bad" } else { "warn" },
                words().usage().to_owned(),
                words().quota_event(&meter, event.percent),
                None,
                Some("/settings/usage".to_owned()),
                event.at,
            )
        }
        Event::TenantStatus(event) => {
            let suspended = event.tenant_status == TenantStatus::Suspended;
            row(
                if suspended { Icon::Warning } else { Icon::Check },
                if suspended { "bad" } else { "good" },
                words().tenant().to_owned(),
                words().tenant_status(event.tenant_status).to_lowercase(),
                event.reason.clone(),
                None,
                event.at,
            )
        }
        Event::DeviceQr(_) | Event::ChatUpdated(_) | Event::ChatsJoined(_) | Event::Unknown => ().into_any(),
    }
}

fn device_tone(status: crate::api::devices::DeviceStatus) -> &'static str {
    if status.needs_attention() {
        "warn"
    } else if status.is_up() {
        "good"
    } else {
        "idle"
    }
}

fn about(message: Option<&Message>, status: Option<MessageStatus>, at: At) -> AnyView {
    let Some(message) = message else {
        return row(
            Icon::Inbox,
            "idle",
            words().deleted_message().to_owned(),
            String::new(),
            None,
            None,
            at,
        );
    };
    let chat = if message.chat.name.starts_with('+') {
        phone::grouped(&message.chat.name)
    } else {
        message.chat.name.clone()
    };
    let href = Some(format!("/inbox/{}", message.chat.id.inner()));
    let what = match status {
        Some(status) => words().message_now(status),
        None => words().wrote().to_owned(),
    };
    let tone = match status {
        Some(MessageStatus::Failed | MessageStatus::Expired) => "bad",
        Some(MessageStatus::Read | MessageStatus::Played | MessageStatus::Delivered) => "good",
        Some(_) => "idle",
        None => "info",
    };
    let symbol = match (status, message.direction) {
        (Some(MessageStatus::Failed), _) => Icon::Warning,
        (Some(MessageStatus::Read | MessageStatus::Delivered | MessageStatus::Played), _) => Icon::CheckDouble,
        (Some(MessageStatus::Sent), _) => Icon::Check,
        (Some(_), _) | (None, Direction::Out) => Icon::Clock,
        (None, Direction::In) => Icon::Inbox,
    };
    row(
        symbol,
        tone,
        chat,
        what,
        Some(message.content.text().to_owned()),
        href,
        at,
    )
}

fn row(
    symbol: Icon,
    tone: &'static str,
    who: String,
    what: String,
    detail: Option<String>,
    href: Option<String>,
    at: At,
) -> AnyView {
    let name = match href {
        Some(href) => view! { <A href=href attr:class="row-link" attr:data-row="">{who}</A> }.into_any(),
        None => view! { <span>{who}</span> }.into_any(),
    };
    view! {
        <li class="activity-row">
            <span class=format!("activity-mark {tone}")>{icon(symbol)}</span>
            <span class="activity-words">
                {name} " " <span class="activity-what">{what}</span>
                {detail.filter(|detail| !detail.is_empty()).map(|detail| view! { <span class="activity-detail">{detail}</span> })}
            </span>
            <span class="activity-time"><Timestamp at=Signal::stored(at) /></span>
        </li>
    }
    .into_any()
}
