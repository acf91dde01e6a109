//! In the sandbox, a phone drawn beside the code that scans it with one click.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{devices::Device, error::ApiError, sandbox, values::ErrorCode},
    components::{
        button::{Button, Kind},
        field::TextField,
        icon::{Icon, icon},
        states::FormError,
    },
    state::{
        phone,
        remote::{Load, Remote},
    },
    words::words,
};

/// So many of the phones are offered; the number of another one can be typed.
const OFFERED: i32 = 100;

/// A number nobody has, for the first phone.
fn some_number() -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 99,999,999"
    )]
    let digits = (js_sys::Math::random() * 100_000_000.0) as u32;
    format!("+62812{digits:08}")
}

#[component]
pub fn ScanningPhone(device: Signal<Device>) -> impl IntoView {
    let number = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let phones = Remote::new(|| async {
        let page = sandbox::phones(OFFERED, None).await?;
        Ok(page.map(|page| page.nodes).unwrap_or_default())
    });
    Effect::new(move |_| {
        phones.value.with(|phones| {
            if let Load::Ready(phones) = phones
                && number.with_untracked(String::is_empty)
            {
                let free = phones.iter().find(|phone| phone.linked_devices.is_empty());
                number.set(free.map_or_else(some_number, |phone| phone.number.0.clone()));
            }
        });
    });
    let scanned = Memo::new(move |_| device.with(|device| device.qr.clone().map(|qr| qr.text)));
    let code = Memo::new(move |_| device.with(|device| device.pairing_code.clone().map(|code| code.code)));
    let ready = Memo::new(move |_| scanned.with(Option::is_some) || code.with(Option::is_some));
    let act = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        let id = device.with_untracked(|device| device.id.clone());
        spawn_local(async move {
            let answer = link(id, phone::typed(&number.get_untracked()), code.get_untracked()).await;
            busy.set(false);
            error.set(answer.err());
        });
    });
    view! {
        <form
            class="phone-frame" aria-label=words().sandbox_phone()
            on:submit=move |event| {
                event.prevent_default();
                act.run(());
            }
        >
            <div class="phone-screen">
                <p class="phone-title">{words().linked_devices_on_phone()}</p>
                <div class="phone-camera" aria-hidden="true">{icon(Icon::Phone)}</div>
                <TextField
                    id="sandbox-number" label=words().number_of_phone() value=number kind="tel" input_mode="tel"
                    list="sandbox-numbers"
                />
                <datalist id="sandbox-numbers">
                    {move || phones.value.with(|phones| match phones {
                        Load::Ready(phones) => phones.iter().map(|phone| view! {
                            <option value=phone.number.0.clone()>{phone.name.clone()}</option>
                        }).collect_view().into_any(),
                        Load::Loading | Load::Failed(_) => ().into_any(),
                    })}
                </datalist>
                <FormError error />
                <Button
                    label=Signal::derive(move || {
                        let words = words();
                        if code.with(Option::is_some) { words.enter_code() } else { words.scan_code() }.to_owned()
                    })
                    kind=Kind::Primary busy disabled=Signal::derive(move || !ready.get()) testid="sandbox-scan"
                />
            </div>
            <p class="hint">{words().sandbox_phone_hint()}</p>
        </form>
    }
}

/// Links with the pairing code when there is one, else by scanning. A phone that does not exist is made first.
async fn link(device_id: cynic::Id, number: String, code: Option<String>) -> Result<(), ApiError> {
    match sandbox::create_phone(number.clone(), None).await {
        Ok(_) => {}
        Err(error)
            if error.is(ErrorCode::AlreadyExists) || error.is(ErrorCode::Sandbox) || error.is(ErrorCode::Conflict) => {}
        Err(error) => return Err(error),
    }
    match code {
        Some(code) => sandbox::enter_pairing_code(number, code).await,
        None => sandbox::scan_qr(device_id, number).await,
    }
    .map(|_| ())
}
