//! Writing to a number for the first time.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::preview::{self, PreviewChoice};
use crate::{
    api::{
        error::ApiError,
        messages::{self, RecipientInput, Written},
    },
    components::{
        button::{Button, ButtonLink, Kind},
        device_picker::{self, DevicePicker, Which},
        dialog::Dialog,
        field::TextField,
        icon::Icon,
        states::{EmptyState, FormError, Loaded},
    },
    state::{phone, remote::Remote, unique},
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
    // The one that is looked at, or the first there is.
    let first = Remote::new(|| device_picker::find(Which::Linked, ""));
    let none = Memo::new(move |_| first.ready().is_some_and(|(devices, _)| devices.is_empty()));
    Effect::new(move |_| {
        if from.with_untracked(String::is_empty)
            && let Some((devices, _)) = first.ready()
            && let Some(device) = devices.first()
        {
            from.set(device.id.inner().to_owned());
        }
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
                link_preview: preview::wanted(&text),
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
        <Loaded remote=first rows=3>
            {move || if none.get() && from.with(String::is_empty) {
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
                        <DevicePicker
                            id="new-chat-device" label=words().send_from() which=Which::Linked value=from
                            on_choose=move |chosen| from.set(chosen)
                        />
                        <div class="field">
                            <label for="new-chat-body">{words().message()}</label>
                            <textarea
                                id="new-chat-body" rows="4" data-testid="new-chat-body" maxlength="4096" prop:value=body
                                on:input=move |event| body.set(event_target_value(&event))
                            ></textarea>
                            <PreviewChoice text=body testid="new-chat-preview" />
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
