//! One entry: who did what, and what changed.

use std::collections::BTreeSet;

use leptos::prelude::*;
use serde_json::Value;

use super::filter::Filter;
use crate::{
    api::{
        audit::{AuditActorKind, AuditEntry},
        values::Json,
    },
    components::{
        facts::{Fact, IdText, Timestamp},
        icon::{Icon, icon},
    },
    words::words,
};

#[component]
pub fn Entry(entry: AuditEntry, filter: Filter) -> impl IntoView {
    let open = RwSignal::new(false);
    let kept = StoredValue::new(entry.clone());
    let symbol = match entry.actor.kind {
        AuditActorKind::ApiToken => Icon::Key,
        AuditActorKind::Stranger => Icon::Warning,
        AuditActorKind::System => Icon::Settings,
        AuditActorKind::Operator => Icon::Building,
        AuditActorKind::User | AuditActorKind::Other => Icon::Person,
    };
    let name = entry
        .actor
        .name
        .unwrap_or_else(|| words().audit_actor(entry.actor.kind).to_owned());
    let actor = match entry.actor.id {
        Some(id) => view! {
            <button
                type="button" class="as-text" title=words().filter_actor(&name)
                on:click=move |_| filter.actor.1.set(Some(id.inner().to_owned()))
            >
                {name.clone()}
            </button>
        }
        .into_any(),
        None => view! { <strong>{name}</strong> }.into_any(),
    };
    let tenant = entry.tenant_name.zip(entry.tenant_id).map(|(name, id)| {
        let narrow = move |_| filter.tenant.1.set(Some(id.inner().to_owned()));
        let title = words().filter_tenant(&name);
        view! { <button type="button" class="tag" title=title on:click=narrow>{name}</button> }
    });
    let object = entry
        .object_name
        .map(|name| view! { <span class="audit-object">{name}</span> });
    view! {
        <li class="audit-entry" data-testid="audit-entry" data-action=entry.action.name()>
            <div class="audit-line">
                <span class="audit-mark">{icon(symbol)}</span>
                <span class="audit-words">{actor} " " {words().audit_action(entry.action)} " " {object}</span>
                {tenant}
                <span class="activity-time"><Timestamp at=entry.at /></span>
                <button
                    type="button" class="icon-button small" title=words().details() aria-label=words().details()
                    aria-expanded=move || if open.get() { "true" } else { "false" } data-testid="audit-details"
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    {icon(Icon::ChevronDown)}
                </button>
            </div>
            <Show when=move || open.get()>{kept.with_value(|entry| details(entry, filter))}</Show>
        </li>
    }
}

fn details(entry: &AuditEntry, filter: Filter) -> impl IntoView + use<> {
    let id = entry.object_id.as_ref().map(|id| id.inner().to_owned());
    let wanted = id.clone();
    let object = id.map(|id| view! { <Fact term="ID"><IdText id /></Fact> });
    let all_about_it = wanted.map(|id| {
        let narrow = move |_| filter.object.1.set(Some(id.clone()));
        view! { <button type="button" class="text-button" on:click=narrow>{words().all_about_it()}</button> }
    });
    let grant = entry.grant_id.as_ref().map(|id| id.inner().to_owned());
    let wanted = grant.clone();
    let grant = grant.map(|id| view! { <Fact term=words().access_grant()><IdText id /></Fact> });
    let all_under_it = wanted.map(|id| {
        let narrow = move |_| filter.grant.1.set(Some(id.clone()));
        view! { <button type="button" class="text-button" on:click=narrow>{words().all_under_grant()}</button> }
    });
    let text = |term: &'static str, value: &Option<String>| {
        let value = value.clone()?;
        Some(view! { <Fact term>{value}</Fact> })
    };
    view! {
        <div class="audit-more">
            {changes(entry.before.as_ref(), entry.after.as_ref())}
            <dl class="facts">
                {text(words().address(), &entry.actor.address)}
                {text(words().client(), &entry.actor.user_agent)}
                {object}
                {grant}
            </dl>
            {all_about_it}
            {all_under_it}
        </div>
    }
}

/// The values that changed, side by side.
fn changes(before: Option<&Json>, after: Option<&Json>) -> Option<impl IntoView + use<>> {
    let fields = |json: Option<&Json>| json.and_then(|json| json.0.as_object().cloned()).unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    if names.is_empty() {
        return None;
    }
    let rows = names
        .into_iter()
        .map(|name| {
            view! {
                <tr>
                    <th scope="row"><code>{name.clone()}</code></th>
                    <td>{shown(before.get(name))}</td>
                    <td>{shown(after.get(name))}</td>
                </tr>
            }
        })
        .collect_view();
    Some(view! {
        <div class="scroll-x">
            <table class="table changes" data-testid="audit-changes">
                <thead><tr>
                    <th scope="col">{words().field()}</th>
                    <th scope="col">{words().before()}</th>
                    <th scope="col">{words().after()}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    })
}

fn shown(value: Option<&Value>) -> AnyView {
    match value {
        None | Some(Value::Null) => view! { <span class="none">"–"</span> }.into_any(),
        Some(Value::String(text)) => text.clone().into_any(),
        Some(other) => view! { <code>{other.to_string()}</code> }.into_any(),
    }
}
