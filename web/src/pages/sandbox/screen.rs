//! The phone's own screen: what it got and what it wrote, and a place to answer as that phone.

use leptos::{prelude::*, task::spawn_local};

use super::{
    account_number,
    lines::{between, load_older_near, written_by},
};
use crate::{
    api::{
        devices::{self, Device},
        error::ApiError,
        sandbox::{self, Received},
        values::PhoneNumber,
    },
    components::{
        device_picker::{self, DevicePicker, Which},
        icon::{Icon, icon},
        states::FormError,
        windowed::{Windowed, windowed},
    },
    state::{format, paged::Paged, phone, remote::Remote},
    words::words,
};

#[component]
pub fn Screen(number: PhoneNumber, ledger: Paged<Received>) -> impl IntoView {
    let me = StoredValue::new(number.clone());
    let account = RwSignal::new(None::<Device>);
    let text = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let written = written_by(number.clone());
    let choose = move |id: String| {
        spawn_local(async move {
            if let Ok(Some(device)) = devices::get(id).await {
                let _ = account.try_set(Some(device));
            }
        });
    };
    let accounts = Remote::new(move || first_account(me.get_value()));
    Effect::new(move |_| {
        if let Some(first) = accounts.ready()
            && account.with_untracked(Option::is_none)
        {
            account.set(first);
        }
    });
    let to = Memo::new(move |_| account.with(|account| account.as_ref().map(account_number).unwrap_or_default()));
    let lines = between(ledger, written, account);
    let near_start = RwSignal::new(false);
    load_older_near(near_start, ledger, written);
    let rows = Windowed::of(
        lines,
        |line| line.key.clone(),
        |line| {
            view! {
                <li class="bubble" class:out=line.mine data-testid="phone-message">
                    <div class="bubble-body">
                        <p class="bubble-text">{line.text}</p>
                        <span class="bubble-meta">{format::time(line.at)}</span>
                    </div>
                </li>
            }
            .into_any()
        },
    );
    let rows = rows.staying_at_end().growing_upwards(near_start);
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let body = text.get_untracked().trim().to_owned();
        if body.is_empty() || busy.get_untracked() || to.with_untracked(String::is_empty) {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = sandbox::send(me.get_value().0, to.get_untracked(), body).await;
            busy.set(false);
            match answer {
                Ok(_) => {
                    text.set(String::new());
                    written.first.refresh();
                }
                Err(refusal) => error.set(Some(refusal)),
            }
        });
    };
    view! {
        <section class="phone-frame chat-phone" aria-label=words().phone_screen() data-testid="phone">
            <div class="phone-screen">
                <header class="phone-head">
                    <DevicePicker
                        id="phone-to" label=words().chat_with() label_hidden=true which=Which::Linked on_choose=choose
                        value=Signal::derive(move || account.with(|account| account.as_ref().map(|device| device.id.inner().to_owned())).unwrap_or_default())
                    />
                </header>
                <div class="phone-lines" tabindex="0" role="region" aria-label=words().messages()>
                    {move || lines.with(Vec::is_empty).then(|| view! {
                        <p class="phone-empty">{if to.with(String::is_empty) {
                            words().no_account_to_write_to()
                        } else {
                            words().nothing_written()
                        }}</p>
                    })}
                    <ol use:windowed=rows></ol>
                </div>
                <FormError error />
                <form class="phone-composer" on:submit=send>
                    <label class="visually-hidden" for="phone-text">{words().write_as(&phone::grouped(&number.0))}</label>
                    <input
                        id="phone-text" autocomplete="off" placeholder=words().write_message() data-testid="phone-text"
                        prop:value=text on:input=move |event| text.set(event_target_value(&event))
                    />
                    <button type="submit" class="send" aria-label=words().send() data-testid="phone-send">
                        {icon(Icon::Send)}
                    </button>
                </form>
            </div>
        </section>
    }
}

/// The account that wrote last, or else the first one there is.
async fn first_account(me: PhoneNumber) -> Result<Option<Device>, ApiError> {
    let newest = sandbox::received(me.clone(), 1, None).await?;
    if let Some(last) = newest.and_then(|page| page.nodes.into_iter().next()) {
        let last = last.from.0;
        let (devices, _) = device_picker::find(Which::Linked, last.trim_start_matches('+')).await?;
        let writer = devices.into_iter().find(|device| account_number(device) == last);
        if writer.is_some() {
            return Ok(writer);
        }
    }
    let (devices, _) = device_picker::find(Which::Linked, "").await?;
    Ok(devices.into_iter().find(|device| account_number(device) != me.0))
}
