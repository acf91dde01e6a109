//! The phone's own screen: what it got and what it wrote, and a place to answer as that phone.

use leptos::{html, prelude::*, task::spawn_local};

use crate::{
    api::{
        devices::{self, DeviceFilter},
        error::ApiError,
        messages,
        sandbox::{self, PhoneDetail},
        values::At,
    },
    components::{
        field::Select,
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
    let to = RwSignal::new(String::new());
    let text = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let accounts = Remote::new(|| devices::list(DeviceFilter::default(), 100, None));
    // What a phone wrote is told by those it wrote to.
    let written = Remote::new(move || messages::from_number(me.get_value(), 100));
    let soon = Soon::new(PAUSE_MS, move || written.refresh());
    live::on_event(move |event| {
        if event.message().is_some() {
            soon.call();
        }
    });
    let options = Signal::derive(move || {
        accounts.value.with(|accounts| match accounts {
            Load::Ready(page) => {
                let numbered = page
                    .nodes
                    .iter()
                    .filter_map(|device| Some((device.phone_number.clone()?, &device.name)));
                numbered
                    .filter(|(number, _)| me.with_value(|me| me != number))
                    .map(|(number, name)| (number.0, name.clone()))
                    .collect()
            }
            Load::Loading | Load::Failed(_) => Vec::new(),
        })
    });
    Effect::new(move |_| {
        if !to.with_untracked(String::is_empty) {
            return;
        }
        // Who wrote last, or else the first account there is.
        let last = detail.with_untracked(|detail| detail.received.nodes.last().map(|line| line.from.0.clone()));
        let chosen = options.with(|options: &Vec<(String, String)>| {
            let known = options.iter().find(|(number, _)| Some(number) == last.as_ref());
            known.or_else(|| options.first()).map(|(number, _)| number.clone())
        });
        if let Some(chosen) = chosen {
            to.set(chosen);
        }
    });
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
            if let (Load::Ready(written), Some(name)) = (written, account_name(&options.get(), &with)) {
                let own = written.iter().filter(|message| message.device.name == name);
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
                    <Select
                        id="phone-to" label=words().chat_with() label_hidden=true options value=to
                        on_change=move |chosen| to.set(chosen)
                    />
                </header>
                <ol class="phone-lines" node_ref=scroller tabindex="0" aria-label=words().messages()>
                    {move || lines.with(Vec::is_empty).then(|| view! {
                        <li class="phone-empty">{if options.with(Vec::is_empty) {
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

fn account_name(options: &[(String, String)], number: &str) -> Option<String> {
    options
        .iter()
        .find(|(known, _)| known == number)
        .map(|(_, name)| name.clone())
}
