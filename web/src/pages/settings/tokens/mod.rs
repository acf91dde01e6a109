//! API tokens: made with a secret that is shown once, and revoked.

mod form;

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    api::api_tokens::{self, ApiToken},
    components::{
        badge::Badge,
        button::{Button, Kind},
        dialog::{Confirm, Dialog},
        facts::Timestamp,
        icon::{Icon, icon},
        menu::{Item, Menu},
        secret::SecretDialog,
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};
use form::TokenForm;

#[component]
pub fn TokensPage() -> impl IntoView {
    let creating = RwSignal::new(false);
    let secret = RwSignal::new(None::<String>);
    let tokens = Remote::new(api_tokens::list);
    let made = Callback::new(move |text: Option<String>| {
        secret.set(text);
        tokens.refresh();
    });
    view! {
        <SettingsFrame>
            <header class="page-head">
                <h1>{words().api_tokens()}</h1>
                <Button
                    label=words().create_token() kind=Kind::Primary symbol=Icon::Plus testid="create-token"
                    on_press=move |()| creating.set(true)
                />
            </header>
            <p class="page-text">{words().api_tokens_text()}</p>
            <Loaded remote=tokens rows=3>
                {move || {
                    let rows = tokens.ready().unwrap_or_default();
                    if rows.is_empty() {
                        return view! { <EmptyState symbol=Icon::Key title=words().no_api_tokens() /> }.into_any();
                    }
                    view! {
                        <table class="table cards" data-testid="tokens">
                            <thead><tr>
                                <th scope="col">{words().name()}</th>
                                <th scope="col">{words().status()}</th>
                                <th scope="col">{words().last_used()}</th>
                                <th scope="col">{words().expiry()}</th>
                                <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                            </tr></thead>
                            <tbody>
                                {rows.into_iter().map(|row| view! { <TokenRow row tokens /> }).collect_view()}
                            </tbody>
                        </table>
                    }.into_any()
                }}
            </Loaded>
        </SettingsFrame>
        <Dialog open=creating title=words().create_token() testid="token-dialog" class="wider">
            <TokenForm open=creating saved=made />
        </Dialog>
        <SecretDialog
            secret title=words().token_secret() text=words().token_secret_text() example=example
            example_title=words().token_example()
        />
    }
}

/// The first thing to do with a token.
fn example(secret: &str) -> String {
    let origin = window().location().origin().unwrap_or_default();
    format!(
        "curl {origin}/graphql \\\n  -H 'authorization: Bearer {secret}' \\\n  -H 'content-type: application/json' \\\n  -d '{{\"query\":\"{{ viewer {{ tenant {{ name }} }} }}\"}}'"
    )
}

#[component]
fn TokenRow(row: ApiToken, tokens: Remote<Vec<ApiToken>>) -> impl IntoView {
    let toasts = use_toasts();
    let (editing, asking, busy) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let kept = StoredValue::new(row.clone());
    let saved = Callback::new(move |_| {
        toasts.say(words().saved());
        tokens.refresh();
    });
    let id = StoredValue::new(row.id.clone());
    let revoke = move |()| {
        toasts.attempt(busy, api_tokens::revoke(id.get_value()), move |_| {
            let _ = asking.try_set(false);
            tokens.refresh();
        });
    };
    let items = Signal::derive(move || {
        vec![
            Item::new(words().edit(), move || editing.set(true)).symbol(Icon::Settings),
            Item::new(words().revoke(), move || asking.set(true))
                .symbol(Icon::Trash)
                .danger(),
        ]
    });
    let (tone, state) = if row.revoked_at.is_some() {
        ("idle", words().revoked())
    } else if row.active {
        ("good", words().usable())
    } else {
        ("warn", words().expired())
    };
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let devices = row
        .device_ids
        .as_ref()
        .map(|ids| words().device_limit(number(ids.len())));
    let networks = (!row.allowed_networks.is_empty()).then(|| {
        let tag = words().network_limit(number(row.allowed_networks.len()));
        view! { <span class="tag" title=row.allowed_networks.join(", ")>{tag}</span> }
    });
    view! {
        <tr data-testid="token" data-name=row.name.clone() class:over=!row.active>
            <td class="lead wide-lead">
                <strong>{row.name.clone()}</strong> " " <code class="sub">{row.prefix}"…"</code>
                <span class="sub">
                    {row.scopes.iter().map(|scope| view! { <span class="tag" title=words().scope(*scope)>{scope.name()}</span> }).collect_view()}
                    {devices.map(|devices| view! { <span class="tag">{devices}</span> })}
                    {networks}
                </span>
            </td>
            <td><Badge tone label=Signal::stored(state.to_owned()) /></td>
            <td data-label=words().last_used()>
                {match row.last_used_at {
                    Some(at) => view! {
                        <span title=row.last_used_address.map(|address| words().used_from(&address))><Timestamp at /></span>
                    }.into_any(),
                    None => view! { <span class="none">{words().never()}</span> }.into_any(),
                }}
            </td>
            <td data-label=words().expiry()>
                {match row.revoked_at.or(row.expires_at) {
                    Some(at) => view! { <Timestamp at /> }.into_any(),
                    None => view! { <span class="none">{words().never()}</span> }.into_any(),
                }}
            </td>
            <td class="actions-cell">
                {row.active.then(|| view! {
                    <Menu name=words().actions_of(&row.name) items testid="token-actions">{icon(Icon::More)}</Menu>
                    <Dialog open=editing title=words().edit_token() testid="edit-token-dialog" class="wider">
                        <TokenForm open=editing token=kept.get_value() saved />
                    </Dialog>
                    <Confirm
                        open=asking title=words().revoke_title(&row.name) consequence=words().revoke_text()
                        verb=words().revoke() busy on_confirm=revoke
                    />
                })}
            </td>
        </tr>
    }
}
