//! The list of devices, its filters in the address, and the dialog that creates one.

mod actions;
mod create;
pub mod detail;
mod form;
mod linked;
mod linking;
mod sandbox_phone;
pub mod sheet;
mod watched;

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{query_signal_with_options, use_query_map},
};

use crate::{
    api::devices::{self, Device, DeviceFilter, DeviceStatus},
    components::{
        badge::DeviceBadge,
        button::{Button, Kind},
        facts::{PhoneNumberText, Timestamp},
        field::SearchField,
        icon::Icon,
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    state::{
        format, live,
        paged::{Page, Paged},
        session::use_session,
        soon::Soon,
    },
    words::words,
};
use create::CreateDialog;

const PAGE_SIZE: i32 = 100;
const PAUSE_MS: u32 = 300;

/// The filter chips, by the name they have in the address.
const FILTERS: [(&str, &[DeviceStatus]); 4] = [
    ("connected", &[DeviceStatus::Connected, DeviceStatus::Degraded]),
    (
        "linking",
        &[
            DeviceStatus::Connecting,
            DeviceStatus::QrReady,
            DeviceStatus::Pairing,
            DeviceStatus::PasskeyRequired,
        ],
    ),
    (
        "attention",
        &[
            DeviceStatus::Degraded,
            DeviceStatus::Disconnected,
            DeviceStatus::LoggedOut,
            DeviceStatus::Banned,
            DeviceStatus::Failed,
            DeviceStatus::PasskeyRequired,
        ],
    ),
    ("new", &[DeviceStatus::Created]),
];

fn filter_of(status: Option<&str>, text: Option<String>) -> DeviceFilter {
    let statuses = FILTERS
        .iter()
        .find(|(name, _)| Some(*name) == status)
        .map(|(_, statuses)| statuses.to_vec());
    let text = text.filter(|text| !text.trim().is_empty());
    DeviceFilter {
        status: statuses,
        text,
        ..DeviceFilter::default()
    }
}

pub(super) fn in_place() -> NavigateOptions {
    NavigateOptions {
        replace: true,
        scroll: false,
        ..NavigateOptions::default()
    }
}

#[component]
pub fn DevicesPage() -> impl IntoView {
    let session = use_session();
    let (status, set_status) = query_signal_with_options::<String>("status", in_place());
    let (text, set_text) = query_signal_with_options::<String>("q", in_place());
    let asked = use_query_map().with_untracked(|query| query.get("new").is_some());
    let create = RwSignal::new(asked);
    let wanted = move || filter_of(status.get().as_deref(), text.get());
    let list = Paged::new(
        |device: &Device| device.id.inner().to_owned(),
        wanted,
        |filter, after| async move {
            let page = devices::list(filter, PAGE_SIZE, after).await?;
            Ok(Page::new(page.nodes, page.page_info).of(page.total_count))
        },
    );
    let list = list.only(move |device| {
        let statuses = untrack(wanted).status;
        statuses.is_none_or(|statuses| statuses.contains(&device.status))
    });
    let rows = list.rows;
    let soon = Soon::new(PAUSE_MS, move || list.first.refresh());
    live::on_event(move |event| {
        if let Some(device) = event.device() {
            rows.update(device.id.inner(), device.clone());
            // Whether it belongs here now is for the server's filter to say.
            soon.call();
        }
    });
    let filtered = Memo::new(move |_| status.get().is_some() || text.get().is_some_and(|text| !text.is_empty()));
    let may_manage = session.may_manage();
    view! {
        <div class="page wide">
            <header class="page-head">
                <h1>{words().devices()}</h1>
                {may_manage.then(|| view! {
                    <Button
                        label=words().create_device() kind=Kind::Primary symbol=Icon::Plus testid="create-device"
                        on_press=move |()| create.set(true)
                    />
                })}
            </header>
            <div class="filters">
                <SearchField
                    label=words().search_devices()
                    value=Signal::derive(move || text.get().unwrap_or_default())
                    on_input=move |wanted: String| set_text.set(Some(wanted).filter(|wanted| !wanted.is_empty()))
                />
                <div class="chips" role="group" aria-label=words().filter_by_status()>
                    <Chip label=words().all() name=None chosen=status.into() on_choose=move |name| set_status.set(name) />
                    {FILTERS.into_iter().map(|(name, _)| view! {
                        <Chip
                            label=words().device_filter(name) name=Some(name) chosen=status.into()
                            on_choose=move |name| set_status.set(name)
                        />
                    }).collect_view()}
                </div>
                <span class="count">
                    {move || list.total.get().filter(|total| *total > 0).map(|total| words().device_count(total))}
                </span>
            </div>
            <Loaded remote=list.first rows=5>
                {move || if list.empty.get() {
                    if filtered.get() {
                        view! { <EmptyState title=words().no_device_matches() text=words().no_match_text() /> }.into_any()
                    } else {
                        view! {
                            <EmptyState symbol=Icon::Phone title=words().no_devices() text=words().no_devices_text()>
                                {may_manage.then(|| view! {
                                    <Button
                                        label=words().create_device() kind=Kind::Primary symbol=Icon::Plus
                                        on_press=move |()| create.set(true)
                                    />
                                })}
                            </EmptyState>
                        }.into_any()
                    }
                } else {
                    view! { <DeviceTable list /> }.into_any()
                }}
                <MoreRows list />
            </Loaded>
            <CreateDialog open=create />
        </div>
    }
}

/// One filter; pressed when it is in force.
#[component]
pub fn Chip(
    #[prop(into)] label: String,
    name: Option<&'static str>,
    chosen: Signal<Option<String>>,
    #[prop(into)] on_choose: Callback<Option<String>>,
) -> impl IntoView {
    view! {
        <button
            type="button" class="chip"
            aria-pressed=move || if chosen.get().as_deref() == name { "true" } else { "false" }
            on:click=move |_| on_choose.run(name.map(str::to_owned))
        >
            {label}
        </button>
    }
}

#[component]
fn DeviceTable(list: Paged<Device>) -> impl IntoView {
    let rows = Windowed::paged(list, |(id, device)| view! { <DeviceRow id device /> }.into_any());
    view! {
        <table class="table cards" data-testid="devices">
            <thead>
                <tr>
                    <th scope="col">{words().name()}</th>
                    <th scope="col">{words().status()}</th>
                    <th scope="col">{words().phone_number()}</th>
                    <th scope="col" class="numeric">{words().waiting()}</th>
                    <th scope="col" class="numeric">{words().unread()}</th>
                    <th scope="col">{words().last_activity()}</th>
                </tr>
            </thead>
            <tbody use:windowed=rows></tbody>
        </table>
    }
}

#[component]
fn DeviceRow(id: String, device: ArcRwSignal<Device>) -> impl IntoView {
    let device = RwSignal::from(device);
    let status = Memo::new(move |_| device.with(|device| device.status));
    view! {
        <tr data-testid="device-card" data-device=id.clone()>
            <td class="lead">
                <A href=format!("/devices/{id}") attr:class="row-link" attr:data-row="">
                    {move || device.with(|device| device.name.clone())}
                </A>
                <span class="sub">
                    {move || device.with(|device| device.key.clone()).map(|key| view! { <code>{key}</code> })}
                    {move || device.with(|device| device.tags.clone()).into_iter().map(|tag| view! {
                        <span class="tag">{tag}</span>
                    }).collect_view()}
                </span>
            </td>
            <td><DeviceBadge status /></td>
            <td>
                {move || device.with(|device| device.phone_number.clone()).map_or_else(
                    || view! { <span class="none">"–"</span> }.into_any(),
                    |number| view! { <PhoneNumberText number=number.0 /> }.into_any(),
                )}
            </td>
            <td class="numeric" data-label=words().waiting()>
                {move || device.with(|device| quiet_zero(device.queue.waiting + device.queue.sending))}
            </td>
            <td class="numeric" data-label=words().unread()>
                {move || device.with(|device| quiet_zero(device.unread_count))}
            </td>
            <td data-label=words().last_activity()>
                {move || device.with(|device| device.last_activity_at).map_or_else(
                    || view! { <span class="none">"–"</span> }.into_any(),
                    |at| view! { <Timestamp at /> }.into_any(),
                )}
            </td>
        </tr>
    }
}

/// Zeros stand back, so that the eye finds what is not zero.
fn quiet_zero(value: i32) -> AnyView {
    if value == 0 {
        view! { <span class="none">"0"</span> }.into_any()
    } else {
        view! { <span>{format::number(value)}</span> }.into_any()
    }
}
