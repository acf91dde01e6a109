//! The phone's own screen: what it got and what it wrote, and a place to answer as that phone.

use leptos::{html, prelude::*, task::spawn_local};

use crate::{
    api::{
        devices::{self, Device},
        error::ApiError,
        messages,
        sandbox::{self, PhoneDetail},
        values::At,
    },
    components::{
        device_picker::{self, DevicePicker, Which},
        icon::{Icon, icon},
        states::FormError,
    },
    state::{
        format, live, phone,
        remote::{Load, Remote},
        soon::Soon,
    },
    words::words,
};

const PAUSE_MS: u32 = 300;

#[derive(Clone, PartialEq)]
struct Line {
    key: String,
    mine: bool,
    text: String,
    at: At,
}

#[component]
pub fn Screen(detail: Memo<PhoneDetail>, remote: Remote<Option<PhoneDetail>>) -> impl IntoView {
    let number = detail.with_untracked(|detail| detail.number.clone());
    let me = StoredValue::new(number.clone());
    let account = RwSignal::new(None::<Device>);
    let text = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    // What a phone wrote is told by those it wrote to.
    let written = Remote::new(move || messages::from_number(me.get_value(), 100));
    let soon = Soon::new(PAUSE_MS, move || written.refresh());
    live::on_event(move |event| {
        if event.message().is_some() {
            soon.call();
        }
    });
    let choose = move |id: String| {
        spawn_local(async move {
            if let Ok(Some(device)) = devices::get(id).await {
                let _ = account.try_set(Some(device));
            }
        });
    };
    // Who wrote last, or else the first account there is.
    let last = detail.with_untracked(|detail| detail.received.nodes.last().map(|line| line.from.0.clone()));
    let accounts = Remote::new(move || {
        let last = last.clone();
        async move {
            if let Some(last) = last {
                let (devices, _) = device_picker::find(Which::Linked, last.trim_start_matches('+')).await?;
                let writer = devices.into_iter().find(|device| number_of(device) == last);
                if writer.is_some() {
                    return Ok(writer);
                }
            }
            let (devices, _) = device_picker::find(Which::Linked, "").await?;
            let mut others = devices
                .into_iter()
                .filter(|device| number_of(device) != me.get_value().0);
            Ok(others.next())
        }
    });
    Effect::new(move |_| {
        if let Some(first) = accounts.ready()
            && account.with_untracked(Option::is_none)
        {
            account.set(first);
        }
    });
    let to = Memo::new(move |_| account.with(|account| account.as_ref().map(number_of).unwrap_or_default()));
    let lines = Memo::new(move |_| {
        let with = to.get();
        let mut lines: Vec<Line> = detail.with(|detail| {
            let received = detail
                .received
                .nodes
                .iter()
                .filter(|line| line.from.0 == with || with.is_empty());
            received
                .map(|line| Line {
                    key: line.whatsapp_id.clone(),
                    mine: false,
                    text: line.text.clone().unwrap_or_else(|| line.kind.clone()),
                    at: line.at,
                })
                .collect()
        });
        written.value.with(|written| {
            if let (Load::Ready(written), Some(account)) = (written, account.get()) {
                let own = written.iter().filter(|message| message.device.id == account.id);
                lines.extend(own.map(|message| Line {
                    key: message.id.inner().to_owned(),
                    mine: true,
                    text: message.content.text().to_owned(),
                    at: message.created_at,
                }));
            }
        });
        lines.sort_by(|a, b| a.at.0.total_cmp(&b.at.0));
        lines
    });
    let scroller = NodeRef::<html::Ol>::new();
    Effect::new(move |_| {
        lines.track();
        request_animation_frame(move || {
            if let Some(scroller) = scroller.try_get_untracked().flatten() {
                scroller.set_scroll_top(scroller.scroll_height());
            }
        });
    });
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
                    written.refresh();
                    remote.refresh();
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
                <ol class="phone-lines" node_ref=scroller tabindex="0" aria-label=words().messages()>
                    {move || lines.with(Vec::is_empty).then(|| view! {
                        <li class="phone-empty">{if to.with(String::is_empty) {
                            words().no_account_to_write_to()
                        } else {
                            words().nothing_written()
                        }}</li>
                    })}
                    <For each=move || lines.get() key=|line| line.key.clone() let:line>
                        <li class="bubble" class:out=line.mine data-testid="phone-message">
                            <div class="bubble-body">
                                <p class="bubble-text">{line.text}</p>
                                <span class="bubble-meta">{format::time(line.at)}</span>
                            </div>
                        </li>
                    </For>
                </ol>
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

fn number_of(device: &Device) -> String {
    device
        .phone_number
        .as_ref()
        .map(|number| number.0.clone())
        .unwrap_or_default()
}
