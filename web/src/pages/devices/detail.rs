//! One device: where it stands, linking it, what is known of it, what can be done.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};

use super::{
    actions::Actions,
    linked::LinkedCard,
    linking::LinkingCard,
    watched::{kept, watched},
};
use crate::{
    api::{
        devices::{Device, DeviceStatus},
        values::At,
    },
    components::{
        badge::DeviceBadge,
        button::ButtonLink,
        facts::{Fact, IdText, PhoneNumberText, Timestamp},
        icon::{Icon, icon},
        states::{EmptyState, Loaded},
    },
    state::{
        format,
        remote::{Load, Remote},
    },
    words::words,
};

#[component]
pub fn DevicePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    move || view! { <DeviceOf id=id.get() /> }
}

#[component]
fn DeviceOf(id: String) -> impl IntoView {
    let remote = watched(id);
    let there = Memo::new(move |_| remote.value.with(|value| matches!(value, Load::Ready(Some(_)))));
    view! {
        <div class="page wide">
            <A href="/devices" attr:class="back">{icon(Icon::ArrowLeft)}{words().devices()}</A>
            <Loaded remote rows=4 shape="block">
                {move || if there.get() {
                    view! { <DeviceView remote /> }.into_any()
                } else {
                    view! {
                        <EmptyState whole_page=true symbol=Icon::Phone title=words().no_such_device() text=words().no_such_device_text()>
                            <ButtonLink href="/devices" label=words().to_devices() />
                        </EmptyState>
                    }.into_any()
                }}
            </Loaded>
        </div>
    }
}

#[component]
fn DeviceView(remote: Remote<Option<Device>>) -> impl IntoView {
    let Some(device) = kept(remote) else {
        return ().into_any();
    };
    let status = Memo::new(move |_| device.with(|device| device.status));
    // Whether it was linked while somebody looked at this page.
    let celebrated = RwSignal::new(false);
    Effect::new(move |before: Option<DeviceStatus>| {
        let now = status.get();
        let linking = matches!(
            before,
            Some(DeviceStatus::QrReady | DeviceStatus::Pairing | DeviceStatus::PasskeyRequired)
        );
        let still = before == Some(DeviceStatus::Connecting) && celebrated.get_untracked();
        if now == DeviceStatus::Connected && (linking || still) {
            celebrated.set(true);
        } else if linking && now == DeviceStatus::Connecting {
            // Right after pairing the phone makes the device connect once more.
            celebrated.set(true);
        } else if !now.is_up() {
            celebrated.set(false);
        }
        now
    });
    let linked = Memo::new(move |_| device.with(Device::is_linked));
    let name = Memo::new(move |_| device.with(|device| device.name.clone()));
    view! {
        <header class="page-head detail-head">
            <div>
                <h1>{name} " " <DeviceBadge status /></h1>
                <p class="sub">
                    {move || device.with(|device| device.remark.clone())}
                    {move || device.with(|device| device.tags.clone()).into_iter().map(|tag| view! {
                        <span class="tag">{tag}</span>
                    }).collect_view()}
                </p>
            </div>
            <Actions remote device />
        </header>
        <StatusReason device />
        <div class="columns">
            <div class="column-main">
                {move || if linked.get() {
                    view! { <LinkedCard device celebrated /> }.into_any()
                } else {
                    view! { <LinkingCard remote device /> }.into_any()
                }}
            </div>
            <Facts device />
        </div>
    }
    .into_any()
}

/// Why it is where it is, when that is no good place.
#[component]
fn StatusReason(device: Signal<Device>) -> impl IntoView {
    let reason = Memo::new(move |_| {
        device.with(|device| {
            device
                .status
                .needs_attention()
                .then(|| (device.status, device.status_reason.clone()))
        })
    });
    move || {
        reason.get().map(|(status, reason)| {
            view! {
                <div class="notice" role="status">
                    {icon(Icon::Warning)}
                    <div>
                        <p>{words().device_trouble(status)}</p>
                        {reason.map(|reason| view! { <p class="sub" title=reason.clone()>{words().device_reason(&reason)}</p> })}
                    </div>
                </div>
            }
        })
    }
}

#[component]
fn Facts(device: Signal<Device>) -> impl IntoView {
    let moment = |at: Option<At>| {
        at.map_or_else(
            || view! { <span class="none">"–"</span> }.into_any(),
            |at| view! { <Timestamp at /> }.into_any(),
        )
    };
    let text = |value: Option<String>| {
        value.map_or_else(
            || view! { <span class="none">"–"</span> }.into_any(),
            |value| view! { <span>{value}</span> }.into_any(),
        )
    };
    view! {
        <section class="card" aria-label=words().facts()>
            <dl class="facts">
                <Fact term=words().status_since()>{move || moment(device.with(|device| Some(device.status_since)))}</Fact>
                <Fact term=words().phone_number()>
                    {move || device.with(|device| device.phone_number.clone()).map_or_else(
                        || view! { <span class="none">"–"</span> }.into_any(),
                        |number| view! { <PhoneNumberText number=number.0 /> }.into_any(),
                    )}
                </Fact>
                <Fact term=words().push_name()>{move || text(device.with(|device| device.push_name.clone()))}</Fact>
                <Fact term=words().platform()>{move || text(device.with(|device| device.platform.clone()))}</Fact>
                <Fact term=words().queue()>
                    <span data-testid="queue">{move || device.with(|device| words().queue_depth(device.queue.waiting, device.queue.sending))}</span>
                </Fact>
                <Fact term=words().last_activity()>{move || moment(device.with(|device| device.last_activity_at))}</Fact>
                <Fact term=words().last_connected()>{move || moment(device.with(|device| device.last_connected_at))}</Fact>
                <Fact term=words().connection_attempts()>
                    {move || device.with(|device| format::number(device.connection_attempts))}
                </Fact>
                <Fact term=words().created()>{move || moment(device.with(|device| Some(device.created_at)))}</Fact>
                <Fact term=words().key()>
                    {move || device.with(|device| device.key.clone()).map_or_else(
                        || view! { <span class="none">"–"</span> }.into_any(),
                        |key| view! { <IdText id=key /> }.into_any(),
                    )}
                </Fact>
                <Fact term="ID">{move || device.with(|device| view! { <IdText id=device.id.inner().to_owned() /> })}</Fact>
                <Fact term="JID">
                    {move || device.with(|device| device.jid.clone()).map_or_else(
                        || view! { <span class="none">"–"</span> }.into_any(),
                        |jid| view! { <IdText id=jid.0 /> }.into_any(),
                    )}
                </Fact>
            </dl>
        </section>
    }
}
