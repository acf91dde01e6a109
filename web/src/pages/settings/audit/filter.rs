//! Which entries are wanted: kept in the address, so that a filtered log can be passed on.

use cynic::Id;
use js_sys::encode_uri_component;
use leptos::prelude::*;
use leptos_router::hooks::query_signal_with_options;

use super::list::Log;
use crate::{
    api::{
        audit::{AuditAction, AuditFilter, TimeRange},
        platform::audit::Whose,
        values::At,
    },
    components::{
        field::Select,
        icon::{Icon, icon},
    },
    pages::devices::in_place,
    state::format,
    words::words,
};

/// Stands in the address for the platform's own log, as in that of the CSV file.
const PLATFORM: &str = "none";

const DAY_MS: f64 = 86_400_000.0;

/// One part of the filter and the way to change it.
type Part = (Memo<Option<String>>, SignalSetter<Option<String>>);

#[derive(Clone, Copy)]
pub struct Filter {
    action: Part,
    pub actor: Part,
    pub object: Part,
    pub grant: Part,
    /// In the log of all tenants.
    pub tenant: Part,
    from: Part,
    to: Part,
}

impl Filter {
    pub fn of_address() -> Self {
        let part = |name: &'static str| query_signal_with_options::<String>(name, in_place());
        Self {
            action: part("action"),
            actor: part("actor"),
            object: part("object"),
            grant: part("grant"),
            tenant: part("tenant"),
            from: part("from"),
            to: part("to"),
        }
    }

    fn begin(self) -> Option<At> {
        format::midnight(&self.from.0.get()?)
    }

    /// The last day counts whole.
    fn end(self) -> Option<At> {
        let day = format::midnight(&self.to.0.get()?)?;
        // Half a day more, so that the day after is hit also when clocks change.
        format::midnight(&format::day_key(At(day.0 + DAY_MS * 1.5)))
    }

    /// Whose log of all is wanted.
    pub fn whose(self) -> Option<Whose> {
        let id = self.tenant.0.get()?;
        Some(if id == PLATFORM {
            Whose::Platform
        } else {
            Whose::Tenant(Id::new(id))
        })
    }

    pub fn wanted(self) -> AuditFilter {
        let action = self.action.0.get().and_then(|name| AuditAction::from_name(&name));
        let (from, to) = (self.begin(), self.end());
        AuditFilter {
            action: action.map(|action| vec![action]),
            actor_id: self.actor.0.get().map(Id::new),
            object_id: self.object.0.get().map(Id::new),
            grant_id: self.grant.0.get().map(Id::new),
            at: (from.is_some() || to.is_some()).then_some(TimeRange { from, to }),
        }
    }

    /// Where the same entries are as a file.
    pub fn csv_address(self, log: Log) -> String {
        let (address, tenant) = match log {
            Log::Tenant => ("/exports/audit-log.csv", None),
            Log::Platform => ("/exports/platform/audit-log.csv", self.tenant.0.get()),
        };
        let moment = |at: Option<At>| at.map(|at| String::from(js_sys::Date::new(&at.0.into()).to_iso_string()));
        let parts = [
            ("tenantId", tenant),
            ("action", self.action.0.get()),
            ("actorId", self.actor.0.get()),
            ("objectId", self.object.0.get()),
            ("grantId", self.grant.0.get()),
            ("from", moment(self.begin())),
            ("to", moment(self.end())),
        ];
        let query: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", String::from(encode_uri_component(&value?)))))
            .collect();
        if query.is_empty() {
            address.to_owned()
        } else {
            format!("{address}?{}", query.join("&"))
        }
    }
}

#[component]
pub fn FilterRow(filter: Filter, log: Log) -> impl IntoView {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let every = (String::new(), words().every_action().to_owned());
    let actions = AuditAction::ALL
        .iter()
        .map(|action| (action.name().to_owned(), words().audit_action(*action).to_owned()));
    let options: Vec<(String, String)> = std::iter::once(every).chain(actions).collect();
    view! {
        <div class="filters audit-filters">
            <Select
                id="audit-action" label=words().action() label_hidden=true options=Signal::stored(options)
                value=Signal::derive(move || filter.action.0.get().unwrap_or_default())
                on_change=move |name| filter.action.1.set(some(name))
            />
            <DayInput id="audit-from" label=words().first_day() part=filter.from />
            <DayInput id="audit-to" label=words().last_day() part=filter.to />
            {(log == Log::Platform).then(|| view! { <PlatformOnly part=filter.tenant /> })}
            <Narrowed part=filter.tenant label=|id| words().only_tenant(id) />
            <Narrowed part=filter.actor label=|id| words().only_actor(id) />
            <Narrowed part=filter.object label=|id| words().only_object(id) />
            <Narrowed part=filter.grant label=|id| words().only_grant(id) />
        </div>
    }
}

#[component]
fn DayInput(id: &'static str, label: &'static str, part: Part) -> impl IntoView {
    view! {
        <label class="day-field" for=id>
            <span>{label}</span>
            <input
                id=id data-testid=id type="date" prop:value=move || part.0.get().unwrap_or_default()
                on:change=move |event| part.1.set(Some(event_target_value(&event)).filter(|day| !day.is_empty()))
            />
        </label>
    }
}

/// The platform's own entries, which belong to no tenant.
#[component]
fn PlatformOnly(part: Part) -> impl IntoView {
    let chosen = Memo::new(move |_| part.0.with(|id| id.as_deref() == Some(PLATFORM)));
    view! {
        <button
            type="button" class="chip" aria-pressed=move || chosen.get().to_string() data-testid="audit-platform"
            on:click=move |_| part.1.set((!chosen.get_untracked()).then(|| PLATFORM.to_owned()))
        >
            {words().only_platform()}
        </button>
    }
}

/// That only one person's or one object's entries are shown, and the way back.
#[component]
fn Narrowed(part: Part, label: fn(&str) -> String) -> impl IntoView {
    move || {
        part.0.get().filter(|id| id != PLATFORM).map(|id| {
            let label = label(&id);
            view! {
                <button
                    type="button" class="chip" aria-pressed="true" title=words().remove_filter(&label)
                    on:click=move |_| part.1.set(None)
                >
                    <span>{label.clone()}</span>{icon(Icon::Close)}
                </button>
            }
        })
    }
}
