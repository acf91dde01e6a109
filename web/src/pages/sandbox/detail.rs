//! One simulated phone: its screen, how it behaves, what can go wrong with it, and what reached it.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};

use super::{behavior::BehaviorCard, disruptions::Disruptions, on_change, screen::Screen};
use crate::{
    api::{
        sandbox::{self, Phone, Received},
        values::PhoneNumber,
    },
    components::{
        badge::Badge,
        button::ButtonLink,
        facts::{Fact, IdText, PhoneNumberText, Timestamp},
        icon::{Icon, icon},
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    state::{
        format,
        paged::{Page, Paged},
        phone,
        remote::{Load, Remote},
        rows::Row,
        soon::Soon,
    },
    words::words,
};

const PAUSE_MS: u32 = 250;
const PAGE_SIZE: i32 = 100;

#[component]
pub fn SandboxPhonePage() -> impl IntoView {
    let params = use_params_map();
    let number = Memo::new(move |_| params.with(|params| params.get("number").unwrap_or_default()));
    move || {
        let number = number.get();
        view! { <PhoneOf number=format!("+{}", number.trim_start_matches('+')) /> }
    }
}

#[component]
fn PhoneOf(number: String) -> impl IntoView {
    let remote = Remote::new({
        let number = number.clone();
        move || sandbox::phone(PhoneNumber(number.clone()))
    });
    let soon = Soon::new(PAUSE_MS, move || remote.refresh());
    let wanted = number.clone();
    on_change(move |changed| {
        if changed == wanted {
            soon.call();
        }
    });
    let first = Memo::new(move |_| {
        remote.value.with(|value| match value {
            Load::Ready(Some(_)) => Some(true),
            Load::Ready(None) => Some(false),
            Load::Loading | Load::Failed(_) => None,
        })
    });
    view! {
        <div class="page wide">
            <A href="/sandbox" attr:class="back">{icon(Icon::ArrowLeft)}{words().sandbox()}</A>
            <Loaded remote rows=4 shape="block">
                {move || match first.get() {
                    Some(true) => view! { <PhoneView remote /> }.into_any(),
                    Some(false) => view! {
                        <EmptyState whole_page=true symbol=Icon::Flask title=words().no_such_phone()>
                            <ButtonLink href="/sandbox" label=words().to_sandbox() />
                        </EmptyState>
                    }.into_any(),
                    None => ().into_any(),
                }}
            </Loaded>
        </div>
    }
}

#[component]
fn PhoneView(remote: Remote<Option<Phone>>) -> impl IntoView {
    let Load::Ready(Some(first)) = remote.value.get_untracked() else {
        return ().into_any();
    };
    let number = first.number.clone();
    let detail = Memo::new(move |before: Option<&Phone>| {
        remote.value.with(|value| match value {
            Load::Ready(Some(phone)) => phone.clone(),
            _ => before.cloned().unwrap_or_else(|| first.clone()),
        })
    });
    let me = StoredValue::new(number.clone());
    let ledger = Paged::new(
        |line: &Received| line.sequence.to_string(),
        || (),
        move |(), before| async move {
            let page = sandbox::received(me.get_value(), PAGE_SIZE, before).await?;
            Ok(page.map_or_else(Page::nothing, |page| {
                Page::newest_first(page.nodes, page.page_info).of(page.total_count)
            }))
        },
    );
    let soon = Soon::new(PAUSE_MS, move || ledger.first.refresh());
    on_change(move |changed| {
        if me.with_value(|me| me.0 == changed) {
            soon.call();
        }
    });
    view! {
        <header class="page-head detail-head">
            <div>
                <h1>
                    {phone::grouped(&number.0)}
                    {move || if detail.with(|detail| detail.online) {
                        view! { <Badge tone="good" label=words().online() /> }
                    } else {
                        view! { <Badge tone="idle" label=words().offline() /> }
                    }}
                </h1>
                <p class="sub">{move || detail.with(|detail| detail.name.clone())}</p>
            </div>
        </header>
        <div class="phone-columns">
            <Screen number=number.clone() ledger />
            <div class="column-main">
                <BehaviorCard detail remote />
                <Disruptions number=number.0.clone() />
                <LinkedDevices detail />
            </div>
        </div>
        <Ledger detail ledger />
    }
    .into_any()
}

#[component]
fn LinkedDevices(detail: Memo<Phone>) -> impl IntoView {
    let devices = Memo::new(move |_| detail.with(|detail| detail.linked_devices.clone()));
    view! {
        <section class="card" aria-labelledby="linked-devices">
            <h2 id="linked-devices">{words().linked_devices()}</h2>
            {move || if devices.with(Vec::is_empty) {
                view! { <p class="sub">{words().no_linked_devices()}</p> }.into_any()
            } else {
                view! {
                    <dl class="facts">
                        {devices.get().into_iter().map(|device| view! {
                            <Fact term=format!("#{} {}", device.id, device.platform)>
                                {if device.online {
                                    view! { <Badge tone="good" label=words().online() /> }
                                } else {
                                    view! { <Badge tone="idle" label=words().offline() /> }
                                }}
                                " "
                                <span class="sub"><Timestamp at=Signal::stored(device.linked_at) /></span>
                            </Fact>
                        }).collect_view()}
                    </dl>
                }.into_any()
            }}
        </section>
    }
}

/// What really reached the phone, newest first, with how often each message was seen on the wire.
#[component]
fn Ledger(detail: Memo<Phone>, ledger: Paged<Received>) -> impl IntoView {
    view! {
        <section class="card ledger" aria-labelledby="ledger">
            <h2 id="ledger">{move || words().ledger(detail.with(|detail| detail.received_count))}</h2>
            <Loaded remote=ledger.first rows=4>
                {move || if ledger.empty.get() {
                    view! { <p class="sub">{words().nothing_received()}</p> }.into_any()
                } else {
                    view! {
                        <table class="table cards" data-testid="ledger">
                            <thead>
                                <tr>
                                    <th scope="col" class="numeric">"#"</th>
                                    <th scope="col">{words().from()}</th>
                                    <th scope="col">{words().message()}</th>
                                    <th scope="col" class="numeric">{words().times_on_wire()}</th>
                                    <th scope="col">{words().whatsapp_id()}</th>
                                    <th scope="col">{words().at()}</th>
                                </tr>
                            </thead>
                            <tbody use:windowed=Windowed::paged(ledger, ledger_line)></tbody>
                        </table>
                    }.into_any()
                }}
                <MoreRows list=ledger label=words().load_older() />
            </Loaded>
        </section>
    }
}

/// Only how often it arrived changes.
fn ledger_line((_, row): Row<Received>) -> AnyView {
    let line = row.get_untracked();
    let row = RwSignal::from(row);
    let times = Memo::new(move |_| row.with(|line| line.times_on_wire));
    view! {
        <tr data-testid="ledger-line" data-times=times data-whatsapp-id=line.whatsapp_id.clone()>
            <td class="numeric">{format::number(line.sequence)}</td>
            <td><PhoneNumberText number=line.from.0 /></td>
            <td class="ledger-text">{line.text.unwrap_or(line.kind)}</td>
            <td class="numeric" class:alarming=move || times.get() != 1 data-label=words().times_on_wire()>
                {move || format::number(times.get())}
            </td>
            <td><IdText id=line.whatsapp_id.clone() /></td>
            <td title=format::exact(line.at)>{format::time_with_seconds(line.at)}</td>
        </tr>
    }
    .into_any()
}
