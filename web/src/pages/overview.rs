//! The first page: honest numbers, what needs somebody, what just happened; and the way in when nothing is linked.

use leptos::prelude::*;
use leptos_router::components::A;

use super::activity::ActivityFeed;
use crate::{
    api::{
        devices::{self, DeviceFilter, DevicePage, DeviceStatus},
        overview::Overview,
    },
    components::{
        badge::DeviceBadge,
        button::{ButtonLink, Kind},
        facts::Timestamp,
        icon::{Icon, icon},
        states::Loaded,
    },
    state::{
        format, live,
        remote::{Load, Remote},
        session::use_session,
        soon::Soon,
        totals::use_totals,
    },
    words::words,
};

const PAUSE_MS: u32 = 500;
const ATTENTION: [DeviceStatus; 6] = [
    DeviceStatus::Degraded,
    DeviceStatus::Disconnected,
    DeviceStatus::LoggedOut,
    DeviceStatus::Banned,
    DeviceStatus::Failed,
    DeviceStatus::PasskeyRequired,
];

#[component]
pub fn OverviewPage() -> impl IntoView {
    let totals = use_totals();
    let attention = Remote::new(|| {
        let filter = DeviceFilter {
            status: Some(ATTENTION.to_vec()),
            ..DeviceFilter::default()
        };
        devices::list(filter, 8, None)
    });
    let first = Remote::new(|| devices::list(DeviceFilter::default(), 20, None));
    let soon = Soon::new(PAUSE_MS, move || {
        attention.refresh();
        first.refresh();
    });
    live::on_event(move |event| {
        if event.device().is_some() {
            soon.call();
        }
    });
    // Until one device is linked, the page is the way to link one.
    let steps = Memo::new(move |_| {
        first.value.with(|value| match value {
            Load::Ready(page) => first_step(page),
            Load::Loading | Load::Failed(_) => None,
        })
    });
    view! {
        <div class="page wide">
            <header class="page-head"><h1>{words().overview()}</h1></header>
            {move || steps.get().map(|step| view! { <FirstRun step /> })}
            <Loaded remote=totals.0 rows=2 shape="block">
                <Figures />
            </Loaded>
            <div class="columns overview-columns">
                <section class="card" aria-labelledby="recent">
                    <div class="card-head">
                        <h2 id="recent">{words().recent_activity()}</h2>
                        <A href="/activity" attr:class="text-button">{words().all_activity()}</A>
                    </div>
                    <ActivityFeed most=12 />
                </section>
                <section class="card" aria-labelledby="attention">
                    <h2 id="attention">{words().needs_attention()}</h2>
                    <Loaded remote=attention rows=3>
                        <AttentionList remote=attention />
                    </Loaded>
                </section>
            </div>
        </div>
    }
}

/// What to do first, when no device has an account yet.
#[derive(Clone, PartialEq)]
enum Step {
    Create,
    Link(String),
}

fn first_step(page: &DevicePage) -> Option<Step> {
    if page.nodes.iter().any(|device| device.jid.is_some()) || page.page_info.has_next_page {
        return None;
    }
    Some(
        page.nodes
            .first()
            .map_or(Step::Create, |device| Step::Link(device.id.inner().to_owned())),
    )
}

#[component]
fn FirstRun(step: Step) -> impl IntoView {
    let may_manage = use_session().may_manage();
    let created = step != Step::Create;
    view! {
        <section class="card first-run" aria-labelledby="first-run" data-testid="first-run">
            <h2 id="first-run">{words().first_run_title()}</h2>
            <ol class="first-steps">
                <li class:done=created class:next=!created>
                    <span class="step-mark">{created.then(|| icon(Icon::Check))}</span>
                    <div>
                        <p>{words().first_create()}</p>
                        <p class="sub">{words().first_create_text()}</p>
                    </div>
                    {(!created && may_manage).then(|| view! {
                        <ButtonLink href="/devices?new=1" label=words().create_device() kind=Kind::Primary symbol=Icon::Plus />
                    })}
                </li>
                <li class:next=created>
                    <span class="step-mark"></span>
                    <div>
                        <p>{words().first_link()}</p>
                        <p class="sub">{words().first_link_text()}</p>
                    </div>
                    {match step {
                        Step::Link(id) => Some(view! {
                            <ButtonLink
                                href=format!("/devices/{id}") label=words().link_device() kind=Kind::Primary symbol=Icon::Link
                            />
                        }),
                        Step::Create => None,
                    }}
                </li>
                <li>
                    <span class="step-mark"></span>
                    <div>
                        <p>{words().first_send()}</p>
                        <p class="sub">{words().first_send_text()}</p>
                    </div>
                </li>
            </ol>
        </section>
    }
}

#[component]
fn Figures() -> impl IntoView {
    let totals = use_totals();
    let figure = move |read: fn(&Overview) -> i32| {
        let number = totals.read(read);
        let number = Memo::new(move |_| number.get());
        Signal::derive(move || number.get())
    };
    view! {
        <section class="figures" aria-label=words().devices()>
            <Figure
                label=words().connected_devices() value=figure(|overview| overview.devices.connected)
                of=figure(|overview| overview.devices.total) href="/devices"
            />
            <Figure label=words().unread_chats() value=figure(|overview| overview.unread_chats) href="/inbox?show=unread" />
        </section>
        <section class="figures today" aria-labelledby="today">
            <h2 id="today">{words().messages_today()}</h2>
            <Figure label=words().received() value=figure(|overview| overview.messages_today.received) />
            <Figure label=words().sent() value=figure(|overview| overview.messages_today.sent) />
            <Figure label=words().delivered() value=figure(|overview| overview.messages_today.delivered) />
            <Figure label=words().read() value=figure(|overview| overview.messages_today.read) />
            <Figure label=words().waiting() value=figure(|overview| overview.messages_today.waiting) />
            <Figure label=words().failed() value=figure(|overview| overview.messages_today.failed) bad=true />
        </section>
    }
}

#[component]
fn Figure(
    #[prop(into)] label: String,
    value: Signal<i32>,
    #[prop(optional)] of: Option<Signal<i32>>,
    #[prop(optional)] href: Option<&'static str>,
    #[prop(optional)] bad: bool,
) -> impl IntoView {
    let content = view! {
        <span class="figure-label">{label}</span>
        <span class="figure-value" class:bad=move || { bad && value.get() > 0 } class:none=move || value.get() == 0>
            {move || format::number(value.get())}
            {of.map(|of| view! { <span class="figure-of">" / " {move || format::number(of.get())}</span> })}
        </span>
    };
    match href {
        Some(href) => view! { <A href=href attr:class="figure">{content}</A> }.into_any(),
        None => view! { <div class="figure">{content}</div> }.into_any(),
    }
}

#[component]
fn AttentionList(remote: Remote<DevicePage>) -> impl IntoView {
    move || {
        let devices = remote.value.with(|value| match value {
            Load::Ready(page) => page.nodes.clone(),
            Load::Loading | Load::Failed(_) => Vec::new(),
        });
        if devices.is_empty() {
            return view! { <p class="all-well">{icon(Icon::Check)}{words().all_well()}</p> }.into_any();
        }
        view! {
            <ul class="attention-list">
                {devices.into_iter().map(|device| view! {
                    <li>
                        <A href=format!("/devices/{}", device.id.inner()) attr:class="attention-row">
                            <span class="attention-name">{device.name}</span>
                            <DeviceBadge status=Signal::stored(device.status) />
                            <span class="sub"><Timestamp at=Signal::stored(device.status_since) /></span>
                        </A>
                    </li>
                }).collect_view()}
            </ul>
        }
        .into_any()
    }
}
