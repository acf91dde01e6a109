//! The sandbox's phones: who there is, how they behave, how much reached them.

mod behavior;
pub mod detail;
mod disruptions;
mod groups;
mod lines;
mod screen;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};

use crate::{
    api::{
        devices::Device,
        error::ApiError,
        sandbox::{self, Behavior, Phone, WatchSandbox},
    },
    components::{
        badge::Badge,
        button::{Button, Kind},
        dialog::Dialog,
        facts::PhoneNumberText,
        field::TextField,
        icon::Icon,
        states::{EmptyState, FormError, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    state::{
        format, live,
        paged::{Page, Paged},
        phone,
        soon::Soon,
    },
    words::{self, words},
};
use groups::Groups;

const PAGE_SIZE: i32 = 100;
const PAUSE_MS: u32 = 400;

/// The number of a device's account; empty without one.
fn account_number(device: &Device) -> String {
    let number = device.phone_number.as_ref();
    number.map(|number| number.0.clone()).unwrap_or_default()
}

/// Calls `then` a moment after anything changed in the sandbox.
fn on_change(then: impl Fn(&str) + 'static) {
    use cynic::SubscriptionBuilder;
    live::subscribe(
        || WatchSandbox::build(()),
        move |answer: WatchSandbox| then(&answer.sandbox_updated.number.0),
    );
}

#[component]
pub fn SandboxPage() -> impl IntoView {
    let create = RwSignal::new(false);
    let list = Paged::new(
        |phone: &Phone| phone.number.0.clone(),
        || (),
        |(), after| async move {
            let page = sandbox::phones(PAGE_SIZE, after).await?;
            Ok(page.map_or_else(Page::nothing, |page| Page::new(page.nodes, page.page_info)))
        },
    );
    let soon = Soon::new(PAUSE_MS, move || list.first.refresh());
    on_change(move |_| soon.call());
    view! {
        <div class="page wide">
            <header class="page-head">
                <h1>{words().sandbox()}</h1>
                <Button
                    label=words().create_phone() kind=Kind::Primary symbol=Icon::Plus testid="create-phone"
                    on_press=move |()| create.set(true)
                />
            </header>
            <p class="page-text">{words().sandbox_text()}</p>
            <Loaded remote=list.first rows=5>
                {move || if list.empty.get() {
                    view! {
                        <EmptyState symbol=Icon::Flask title=words().no_phones() text=words().no_phones_text()>
                            <Button
                                label=words().create_phone() kind=Kind::Primary symbol=Icon::Plus
                                on_press=move |()| create.set(true)
                            />
                        </EmptyState>
                    }.into_any()
                } else {
                    view! { <PhoneTable list /> }.into_any()
                }}
                <MoreRows list />
                {move || (!list.empty.get()).then(|| view! { <Groups /> })}
            </Loaded>
            <Dialog open=create title=words().create_phone() testid="create-phone-dialog">
                <CreateForm open=create />
            </Dialog>
        </div>
    }
}

#[component]
fn PhoneTable(list: Paged<Phone>) -> impl IntoView {
    let rows = Windowed::paged(list, |(number, phone)| view! { <PhoneRow number phone /> }.into_any());
    view! {
        <table class="table cards" data-testid="phones">
            <thead>
                <tr>
                    <th scope="col">{words().phone()}</th>
                    <th scope="col">{words().status()}</th>
                    <th scope="col">{words().behavior()}</th>
                    <th scope="col" class="numeric">{words().linked_devices()}</th>
                    <th scope="col" class="numeric">{words().received_messages()}</th>
                </tr>
            </thead>
            <tbody use:windowed=rows></tbody>
        </table>
    }
}

#[component]
fn PhoneRow(number: String, phone: ArcRwSignal<Phone>) -> impl IntoView {
    let phone = RwSignal::from(phone);
    let href = format!("/sandbox/{}", number.trim_start_matches('+'));
    let shown = number.clone();
    view! {
        <tr data-testid="phone-row" data-number=number>
            <td class="lead">
                <A href=href attr:class="row-link" attr:data-row=""><PhoneNumberText number=shown /></A>
                <span class="sub">{move || phone.with(|phone| phone.name.clone())}</span>
            </td>
            <td>{move || if phone.with(|phone| phone.online) {
                view! { <Badge tone="good" label=words().online() /> }
            } else {
                view! { <Badge tone="idle" label=words().offline() /> }
            }}</td>
            <td data-label=words().behavior()>
                <span class="sub">{move || phone.with(|phone| in_words(&phone.behavior))}</span>
            </td>
            <td class="numeric" data-label=words().linked_devices()>
                {move || phone.with(|phone| format::number(i32::try_from(phone.linked_devices.len()).unwrap_or(i32::MAX)))}
            </td>
            <td class="numeric" data-label=words().received_messages()>
                {move || phone.with(|phone| format::number(phone.received_count))}
            </td>
        </tr>
    }
}

/// What is unusual about a phone, or that nothing is.
fn in_words(behavior: &Behavior) -> String {
    let words = words();
    let mut said = Vec::new();
    if !behavior.on_whats_app {
        said.push(words.not_on_whatsapp().to_owned());
    }
    if !behavior.delivers {
        said.push(words.delivers_not().to_owned());
    } else if !behavior.reads {
        said.push(words.reads_not().to_owned());
    }
    if let Some(code) = behavior.nack_code {
        said.push(words.answers_error(code));
    }
    match &behavior.replies {
        Some(reply) if reply.echo => said.push(words.echoes().to_owned()),
        Some(reply) if reply.text.is_some() => said.push(words.replies().to_owned()),
        _ => {}
    }
    if !behavior.blocks.is_empty() {
        said.push(words.blocks_some(i32::try_from(behavior.blocks.len()).unwrap_or(i32::MAX)));
    }
    if said.is_empty() {
        words.behaves_well().to_owned()
    } else {
        capitalised(&said.join(", "))
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[component]
fn CreateForm(open: RwSignal<bool>) -> impl IntoView {
    let navigate = StoredValue::new(use_navigate());
    let number = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let number_error =
        Signal::derive(move || error.with(|error| error.as_ref()?.of_field("number").map(words::refusal)));
    let rest = Signal::derive(move || error.with(|error| error.as_ref()?.beside(&["number"]).cloned()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let named = Some(name.get_untracked().trim().to_owned()).filter(|name| !name.is_empty());
            let answer = sandbox::create_phone(phone::typed(&number.get_untracked()), named).await;
            busy.set(false);
            match answer {
                Ok(phone) => {
                    open.set(false);
                    let address = format!("/sandbox/{}", phone.number.0.trim_start_matches('+'));
                    navigate.with_value(|navigate| navigate(&address, NavigateOptions::default()));
                }
                Err(refusal) => error.set(Some(refusal)),
            }
        });
    };
    view! {
        <form class="stack" novalidate=true on:submit=submit>
            <FormError error=rest />
            <TextField
                id="phone-number" label=words().phone_number() value=number kind="tel" input_mode="tel" autofocus=true
                placeholder="+62 812 3456 7890" error=number_error hint=words().number_hint()
            />
            <TextField id="phone-name" label=words().name_optional() value=name max_length=60 />
            <footer class="dialog-foot">
                <Button label=words().cancel() on_press=move |()| open.set(false) />
                <Button label=words().create() kind=Kind::Primary busy testid="create-phone-submit" />
            </footer>
        </form>
    }
}
