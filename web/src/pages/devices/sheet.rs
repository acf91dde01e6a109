//! A device's code on a page of its own: to print, or to show on a screen to whoever has the phone.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};

use super::{
    linking::{Code, Steps},
    watched::{kept, watched},
};
use crate::{
    api::devices::{Device, DeviceStatus},
    components::{
        button::{Button, ButtonLink, Kind},
        facts::PhoneNumberText,
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
pub fn QrSheetPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    move || view! { <SheetOf id=id.get() /> }
}

#[component]
fn SheetOf(id: String) -> impl IntoView {
    let remote = watched(id.clone());
    let there = Memo::new(move |_| remote.value.with(|value| matches!(value, Load::Ready(Some(_)))));
    view! {
        <div class="page sheet-page">
            <A href=format!("/devices/{id}") attr:class="back">{icon(Icon::ArrowLeft)}{words().to_device()}</A>
            <Loaded remote rows=4 shape="block">
                {move || if there.get() {
                    view! { <Sheet remote /> }.into_any()
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

/// What stands on the sheet, by where the device is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Linked,
    Code,
    /// Nobody asked for a code.
    Nothing,
}

#[component]
fn Sheet(remote: Remote<Option<Device>>) -> impl IntoView {
    let Some(device) = kept(remote) else {
        return ().into_any();
    };
    let content = Memo::new(move |_| {
        device.with(|device| {
            if device.is_linked() {
                Content::Linked
            } else if device.status.is_linking() || device.status == DeviceStatus::Connecting {
                Content::Code
            } else {
                Content::Nothing
            }
        })
    });
    let id = device.with_untracked(|device| device.id.inner().to_owned());
    let until = Memo::new(move |_| device.with(|device| device.qr.as_ref().map(|code| code.expires_at)));
    let print = move |()| {
        // A browser without a printer says so itself.
        let _ = window().print();
    };
    view! {
        <section class="sheet" data-testid="qr-sheet">
            <h1>{move || device.with(|device| device.name.clone())}</h1>
            {move || match content.get() {
                Content::Linked => view! {
                    <p class="celebration" role="status">
                        <span class="celebration-mark">{icon(Icon::Check)}</span>
                        {words().celebration()}
                    </p>
                    {move || device.with(|device| device.phone_number.clone()).map(|number| view! {
                        <PhoneNumberText number=number.0 />
                    })}
                }.into_any(),
                Content::Code => view! {
                    <p>{words().link_title()}</p>
                    <Code device />
                    {move || until.get().map(|until| view! {
                        <p class="only-printed">{words().code_until(&format::time_with_seconds(until))}</p>
                    })}
                    <Steps />
                    <Button label=words().print() kind=Kind::Primary symbol=Icon::Printer on_press=print testid="print" />
                    <p class="hint">{words().print_hint()}</p>
                }.into_any(),
                Content::Nothing => view! {
                    <p>{words().no_code_now()}</p>
                    <ButtonLink href=format!("/devices/{id}") label=words().to_device() kind=Kind::Primary />
                }.into_any(),
            }}
        </section>
    }
    .into_any()
}
