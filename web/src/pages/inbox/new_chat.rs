//! Writing to a number for the first time.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::{
        devices::{self, DeviceFilter, DevicePage},
        error::ApiError,
        messages::{self, RecipientInput, Written},
    },
    components::{
        button::{Button, ButtonLink, Kind},
        dialog::Dialog,
        field::{Select, TextField},
        icon::Icon,
        states::{EmptyState, FormError, Loaded},
    },
    state::{
        phone,
        remote::{Load, Remote},
        unique,
    },
    words::{self, words},
};

#[component]
pub fn NewChatDialog(open: RwSignal<bool>, device: Memo<Option<String>>) -> impl IntoView {
    view! {
        <Dialog open title=words().new_chat() testid="new-chat-dialog">
            <NewChatForm open device />
        </Dialog>
    }
}

#[component]
fn NewChatForm(open: RwSignal<bool>, device: Memo<Option<String>>) -> impl IntoView {
    let navigate = StoredValue::new(use_navigate());
    let number = RwSignal::new(String::new());
    let body = RwSignal::new(String::new());
    let from = RwSignal::new(device.get_untracked().unwrap_or_default());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    // One key for this dialog: pressing twice, or again after a lost answer, sends once.
    let key = StoredValue::new(unique::key());
    let choices = Remote::new(|| devices::list(DeviceFilter::default(), 100, None));
    Effect::new(move |_| {
        choices.value.with(|choices| {
            if let Load::Ready(page) = choices
                && from.with_untracked(String::is_empty)
                && let Some(first) = linked(page).next()
            {
                from.set(first.0);
            }
        });
    });
    let options = Signal::derive(move || {
        choices.value.with(|choices| match choices {
            Load::Ready(page) => linked(page).collect(),
            Load::Loading | Load::Failed(_) => Vec::new(),
        })
    });
    let fields = ["phone", "body", "deviceId"];
    let number_error =
        Signal::derive(move || error.with(|error| error.as_ref()?.of_field("phone").map(words::refusal)));
    let rest = Signal::derive(move || error.with(|error| error.as_ref()?.beside(&fields[..2]).cloned()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = body.get_untracked().trim().to_owned();
        if busy.get_untracked() || text.is_empty() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let to = RecipientInput::Phone(phone::typed(&number.get_untracked()));
            let device_id = cynic::Id::new(from.get_untracked());
            let text = Written {
                body: text,
                ..Written::default()
            };
            let answer = messages::send_text(device_id, to, text, key.get_value()).await;
            busy.set(false);
            match answer {
                Ok(message) => {
                    open.set(false);
                    let device = device
                        .get_untracked()
                        .map(|device| format!("?device={device}"))
                        .unwrap_or_default();
                    let address = format!("/inbox/{}{device}", message.chat.id.inner());
                    navigate.with_value(|navigate| navigate(&address, NavigateOptions::default()));
                }
                Err(refusal) => {
                    // Something else will be sent next, which is another message.
                    if matches!(refusal, ApiError::Refused(_)) {
                        key.set_value(unique::key());
                    }
                    error.set(Some(refusal));
                }
            }
        });
    };
    view! {
        <Loaded remote=choices rows=3>
            {move || if options.with(Vec::is_empty) {
                view! {
                    <EmptyState symbol=Icon::Phone title=words().no_linked_device() text=words().no_linked_device_text()>
                        <ButtonLink href="/devices" label=words().to_devices() kind=Kind::Primary />
                    </EmptyState>
                }.into_any()
            } else {
                view! {
                    <form class="stack" novalidate=true on:submit=submit>
                        <FormError error=rest />
                        <TextField
                            id="new-chat-number" label=words().phone_number() value=number kind="tel" input_mode="tel"
                            placeholder="+62 812 3456 7890" error=number_error autofocus=true
                            hint=words().number_hint()
                        />
                        <Select
                            id="new-chat-device" label=words().send_from() options value=from
                            on_change=move |chosen| from.set(chosen)
                        />
                        <div class="field">
                            <label for="new-chat-body">{words().message()}</label>
                            <textarea
                                id="new-chat-body" rows="4" data-testid="new-chat-body" maxlength="4096" prop:value=body
                                on:input=move |event| body.set(event_target_value(&event))
                            ></textarea>
                        </div>
                        <footer class="dialog-foot">
                            <Button label=words().cancel() on_press=move |()| open.set(false) />
                            <Button
                                label=words().send() kind=Kind::Primary symbol=Icon::Send busy testid="new-chat-send"
                                disabled=Signal::derive(move || {
                                    body.with(|body| body.trim().is_empty()) || number.with(|number| number.trim().is_empty())
                                })
                            />
                        </footer>
                    </form>
                }.into_any()
            }}
        </Loaded>
    }
}

/// The devices that have an account to write from.
fn linked(page: &DevicePage) -> impl Iterator<Item = (String, String)> {
    page.nodes
        .iter()
        .filter(|device| device.is_linked())
        .map(|device| (device.id.inner().to_owned(), device.name.clone()))
}
