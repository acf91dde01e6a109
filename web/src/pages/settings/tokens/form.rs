//! Making and changing an API token: what it may do, with which devices, from where, and for how long.

use cynic::Id;
use leptos::prelude::*;

use crate::{
    api::{
        api_tokens::{self, ApiToken, CreateApiTokenInput, Scope, UpdateApiTokenInput},
        devices,
        values::At,
    },
    components::{
        device_picker::{DevicePicker, Which},
        dialog::DialogFoot,
        field::{Select, TextField},
        form::{Form, Sending},
        icon::{Icon, icon},
    },
    state::remote::Remote,
    words::words,
};

const MONTH_MS: f64 = 30.0 * 86_400_000.0;
const MONTHS: [i32; 3] = [1, 3, 12];
/// The end that it has already.
const UNCHANGED: &str = "unchanged";

/// Made anew at each opening. `saved` is told the secret of a new one.
#[component]
pub fn TokenForm(
    open: RwSignal<bool>,
    /// Which one changes; none is made without.
    #[prop(optional)]
    token: Option<ApiToken>,
    saved: Callback<Option<String>>,
) -> impl IntoView {
    let known_end = token.as_ref().and_then(|token| token.expires_at);
    let changes = token.as_ref().map(|token| token.id.clone());
    let (end, verb) = match token {
        Some(_) => (UNCHANGED, words().save()),
        None => ("3", words().create()),
    };
    let end = RwSignal::new(end.to_owned());
    let name = RwSignal::new(token.as_ref().map(|token| token.name.clone()).unwrap_or_default());
    let scopes = RwSignal::new(token.as_ref().map_or(vec![Scope::Read], |token| token.scopes.clone()));
    let chosen_devices = token.as_ref().and_then(|token| token.device_ids.clone());
    let chosen_devices = RwSignal::new(chosen_devices.unwrap_or_default());
    let networks = RwSignal::new(token.map(|token| token.allowed_networks.join(", ")).unwrap_or_default());
    let sending = Sending::new();
    let tried = RwSignal::new(false);
    let submit = move |()| {
        tried.set(true);
        if scopes.with_untracked(Vec::is_empty) {
            return;
        }
        let end = end.get_untracked();
        let months: Option<f64> = end.parse().ok();
        let expires_at = if end == UNCHANGED {
            known_end
        } else {
            months.map(|months| At(At::now().0 + months * MONTH_MS))
        };
        let written = networks.get_untracked();
        let listed: Vec<String> = written
            .split([',', ' '])
            .filter(|network| !network.is_empty())
            .map(str::to_owned)
            .collect();
        let (name, scopes) = (name.get_untracked().trim().to_owned(), scopes.get_untracked());
        let device_ids = Some(chosen_devices.get_untracked()).filter(|ids| !ids.is_empty());
        let id = changes.clone();
        let request = async move {
            if let Some(id) = id {
                let input = UpdateApiTokenInput {
                    id,
                    name: Some(name),
                    scopes: Some(scopes),
                    expires_at,
                    device_ids,
                    allowed_networks: Some(listed),
                };
                api_tokens::update(input).await.map(|_| None)
            } else {
                let input = CreateApiTokenInput {
                    name,
                    scopes,
                    expires_at,
                    device_ids,
                    allowed_networks: Some(listed).filter(|listed| !listed.is_empty()),
                };
                api_tokens::create(input).await.map(Some)
            }
        };
        sending.send(request, move |secret| {
            open.set(false);
            saved.run(secret);
        });
    };
    let unchanged = (end.get_untracked() == UNCHANGED).then(|| (UNCHANGED.to_owned(), words().as_it_is().to_owned()));
    let ends = unchanged
        .into_iter()
        .chain(
            MONTHS
                .into_iter()
                .map(|months| (months.to_string(), words().in_months(months))),
        )
        .chain([(String::new(), words().never().to_owned())])
        .collect::<Vec<_>>();
    view! {
        <Form sending fields=&["name", "allowedNetworks"] on_submit=submit>
            <TextField
                id="token-name" label=words().name() value=name error=sending.fault("name") hint=words().token_name_hint()
                max_length=120 required=true autofocus=true
            />
            <fieldset class="choices">
                <legend>{words().scopes()}</legend>
                {Scope::ALL.into_iter().map(|scope| view! {
                    <Choice
                        testid=format!("scope-{}", scope.name()) value=scope chosen=scopes label=words().scope(scope)
                        detail=scope.name()
                    />
                }).collect_view()}
                {move || (tried.get() && scopes.with(Vec::is_empty)).then(|| view! {
                    <p class="field-error" role="alert">{words().scopes_missing()}</p>
                })}
            </fieldset>
            <DeviceChoices chosen=chosen_devices />
            <TextField
                id="token-networks" label=words().networks_optional() value=networks hint=words().networks_hint()
                error=sending.fault("allowedNetworks")
            />
            <Select
                id="token-end" label=words().expiry() value=end options=Signal::stored(ends)
                on_change=move |months| end.set(months)
            />
            <DialogFoot open verb busy=sending.busy testid="token-submit" />
        </Form>
    }
}

/// The devices that it is for: found one by one, however many the tenant has.
#[component]
fn DeviceChoices(chosen: RwSignal<Vec<Id>>) -> impl IntoView {
    let add = move |id: String| {
        let id = Id::new(id);
        chosen.update(|chosen| {
            if !chosen.contains(&id) {
                chosen.push(id);
            }
        });
    };
    view! {
        <fieldset class="choices">
            <legend>{words().only_devices()}</legend>
            <p class="hint">{words().only_devices_hint()}</p>
            <ul class="chosen">
                <For each=move || chosen.get() key=|id| id.inner().to_owned() let:id>
                    <ChosenDevice id chosen />
                </For>
            </ul>
            <DevicePicker
                id="token-device" label=words().add_device() label_hidden=true which=Which::All none=words().add_device()
                value=Signal::stored(String::new()) on_choose=move |id: String| if !id.is_empty() { add(id) }
            />
        </fieldset>
    }
}

#[component]
fn ChosenDevice(id: Id, chosen: RwSignal<Vec<Id>>) -> impl IntoView {
    let device = Remote::new({
        let id = id.inner().to_owned();
        move || devices::get(id.clone())
    });
    let name = Memo::new(move |_| match device.ready() {
        Some(Some(device)) => device.name,
        Some(None) => words().deleted_device().to_owned(),
        None => String::new(),
    });
    let testid = format!("device-{}", id.inner());
    let remove = move |_| chosen.update(|chosen| chosen.retain(|known| *known != id));
    view! {
        <li class="tag" data-testid=testid>
            {name}
            <button type="button" class="as-text" aria-label=move || words().remove_named(&name.get()) on:click=remove>
                {icon(Icon::Close)}
            </button>
        </li>
    }
}

/// One of several that may be chosen together.
#[component]
fn Choice<T: Clone + PartialEq + Send + Sync + 'static>(
    testid: String,
    value: T,
    chosen: RwSignal<Vec<T>>,
    #[prop(into)] label: String,
    #[prop(into)] detail: String,
) -> impl IntoView {
    let value = StoredValue::new(value);
    let toggle = move |on: bool| {
        chosen.update(|chosen| {
            value.with_value(|value| {
                chosen.retain(|known| known != value);
                if on {
                    chosen.push(value.clone());
                }
            });
        });
    };
    view! {
        <label class="choice">
            <input
                type="checkbox" data-testid=testid
                prop:checked=move || value.with_value(|value| chosen.with(|chosen| chosen.contains(value)))
                on:change=move |event| toggle(event_target_checked(&event))
            />
            <span>{label}</span>
            <code>{detail}</code>
        </label>
    }
}
