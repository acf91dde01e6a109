//! Linking a device: the QR code with its countdown, three steps in words, and the pairing code beside it.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;

use super::sandbox_phone::ScanningPhone;
use crate::{
    api::{
        devices::{self, Action, Device, DeviceStatus},
        error::ApiError,
    },
    components::{
        button::{Button, Kind},
        facts::CopyButton,
        field::TextField,
        icon::{Icon, icon},
        states::FormError,
        toast::use_toasts,
    },
    state::{clock, format, phone, remote::Remote, session::use_session},
    words::{self, words},
};

/// How long a code lives, for the bar of the countdown.
const LONGEST_MS: f64 = 60_000.0;

#[component]
pub fn LinkingCard(remote: Remote<Option<Device>>, device: Signal<Device>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let under_way = Memo::new(move |_| {
        device.with(|device| device.status.is_linking() || device.status == DeviceStatus::Connecting)
    });
    let begin = move |()| {
        busy.set(true);
        let id = device.with_untracked(|device| device.id.clone());
        spawn_local(async move {
            let answer = devices::act(Action::Connect, id).await;
            busy.set(false);
            match answer {
                Ok(device) => remote.patch(|known| *known = Some(device)),
                Err(error) => toasts.fail(&error),
            }
        });
    };
    view! {
        <section class="card linking" aria-label=words().link_device()>
            {move || if under_way.get() {
                let sheet = format!("/devices/{}/qr", device.with_untracked(|device| device.id.inner().to_owned()));
                view! {
                    <div class="linking-body">
                        <div class="linking-main">
                            <h2>{words().link_title()}</h2>
                            <Steps />
                            <Code device />
                            <A href=sheet attr:class="text-button">{icon(Icon::Printer)}{words().print_or_show()}</A>
                            <WithPhoneNumber remote device />
                        </div>
                        <Show when=move || session.sandbox.get()>
                            <ScanningPhone device />
                        </Show>
                    </div>
                }.into_any()
            } else {
                view! {
                    <div class="linking-start">
                        <h2>{words().link_start_title()}</h2>
                        <p>{words().link_start_text()}</p>
                        <Button
                            label=words().show_qr() kind=Kind::Primary symbol=Icon::Link busy on_press=begin
                            testid="link-device"
                        />
                    </div>
                }.into_any()
            }}
        </section>
    }
}

#[component]
pub fn Steps() -> impl IntoView {
    view! {
        <ol class="steps">
            <li>{words().link_step_one()}</li>
            <li>{words().link_step_two()}</li>
            <li>{words().link_step_three()}</li>
        </ol>
    }
}

/// The code as a picture; never as markup, since it comes from elsewhere.
fn picture(svg: &str) -> String {
    if svg.starts_with("data:") {
        svg.to_owned()
    } else {
        format!(
            "data:image/svg+xml;charset=utf-8,{}",
            String::from(js_sys::encode_uri_component(svg))
        )
    }
}

#[component]
pub fn Code(device: Signal<Device>) -> impl IntoView {
    let code = Memo::new(move |_| device.with(|device| device.qr.clone()));
    let pairing = Memo::new(move |_| {
        device.with(|device| device.status == DeviceStatus::Pairing && device.pairing_code.is_none())
    });
    let now = clock::every_second();
    let left = Memo::new(move |_| code.with(|code| code.as_ref().map_or(0.0, |code| code.expires_at.0 - now.get())));
    view! {
        <div class="qr" aria-live="polite">
            {move || match code.get() {
                Some(code) => view! {
                    <img
                        class="qr-code" alt=words().qr_alt() src=picture(&code.svg) width="264" height="264"
                        class:stale=move || left.get() <= 0.0 data-testid="qr" data-text=code.text.clone()
                    />
                }.into_any(),
                None if pairing.get() => view! {
                    <div class="qr-code waiting"><span class="spinner"></span><p>{words().pairing()}</p></div>
                }.into_any(),
                None => view! {
                    <div class="qr-code waiting"><span class="spinner"></span><p>{words().getting_code()}</p></div>
                }.into_any(),
            }}
        </div>
        {move || code.with(Option::is_some).then(|| view! {
            <p class="countdown" data-testid="qr-countdown">
                <progress class="progress" max=LONGEST_MS prop:value=move || left.get().clamp(0.0, LONGEST_MS)></progress>
                <span>{move || if left.get() > 0.0 {
                    words().next_code_in(&format::countdown(left.get()))
                } else {
                    words().getting_code().to_owned()
                }}</span>
            </p>
        })}
    }
}

/// The alternative: a code to type into the phone.
#[component]
fn WithPhoneNumber(remote: Remote<Option<Device>>, device: Signal<Device>) -> impl IntoView {
    let number = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let open = RwSignal::new(false);
    let code = Memo::new(move |_| device.with(|device| device.pairing_code.clone()));
    let field_error = Signal::derive(move || {
        error.with(|error| {
            let error = error.as_ref()?;
            let at_field = error.of_field("phoneNumber").or_else(|| error.of_field("phone"));
            at_field.map(words::refusal)
        })
    });
    let other = Signal::derive(move || error.with(|error| error.as_ref()?.beside(&["phoneNumber", "phone"]).cloned()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let id = device.with_untracked(|device| device.id.clone());
        spawn_local(async move {
            match devices::request_pairing_code(id, phone::typed(&number.get_untracked())).await {
                Ok(device) => remote.patch(|known| *known = Some(device)),
                Err(refusal) => error.set(Some(refusal)),
            }
            busy.set(false);
        });
    };
    view! {
        <div class="with-number">
            {move || if let Some(code) = code.get() {
                let letters: String = code.code.chars().filter(char::is_ascii_alphanumeric).collect();
                let (first, second) = letters.split_at(letters.len() / 2);
                view! {
                    <h3>{words().pairing_code_title()}</h3>
                    <p class="pairing-code" data-testid="pairing-code" data-code=letters.clone()>
                        <span>{first.to_owned()}</span><span aria-hidden="true">"–"</span><span>{second.to_owned()}</span>
                        <CopyButton text=letters.clone() />
                    </p>
                    <p class="hint">{words().pairing_code_hint()}</p>
                }.into_any()
            } else if open.get() {
                view! {
                    <form class="stack" on:submit=submit novalidate=true>
                        <FormError error=other />
                        <TextField
                            id="pairing-phone" label=words().your_phone_number() value=number kind="tel" input_mode="tel"
                            error=field_error placeholder="+62 812 3456 7890" autofocus=true
                        />
                        <div class="row-actions">
                            <Button label=words().get_pairing_code() kind=Kind::Primary busy testid="get-pairing-code" />
                            <Button label=words().cancel() kind=Kind::Quiet on_press=move |()| open.set(false) />
                        </div>
                    </form>
                }.into_any()
            } else {
                view! {
                    <button
                        type="button" class="text-button" data-testid="link-with-phone" on:click=move |_| open.set(true)
                    >
                        {icon(Icon::Key)}{words().link_with_number()}
                    </button>
                }.into_any()
            }}
        </div>
    }
}
