//! The operator's list of tenants, and what can be done to them.

mod create;
mod edit;
mod suspend;

use cynic::Id;
use leptos::prelude::*;
use leptos_router::hooks::query_signal_with_options;

use super::PlatformFrame;
use crate::{
    api::{
        platform::{
            plans::{self, Plan},
            tenants::{self, PlatformTenant, TenantFilter},
        },
        tenancy::TenantStatus,
    },
    components::{
        badge::Badge,
        button::{Button, Kind},
        facts::Timestamp,
        field::SearchField,
        icon::{Icon, icon},
        menu::{Item, Menu},
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    pages::devices::{Chip, in_place},
    state::{
        paged::{self, Paged},
        remote::Remote,
    },
    words::words,
};
use create::CreateDialog;
use edit::EditDialog;
use suspend::SuspendDialog;

const PAGE_SIZE: i32 = 50;

const STATUSES: [(&str, TenantStatus); 2] = [("active", TenantStatus::Active), ("suspended", TenantStatus::Suspended)];

/// The plans as choices, with none first.
fn choices(plans: &[Plan]) -> Vec<(String, String)> {
    let none = (String::new(), words().no_plan().to_owned());
    let known = plans.iter().map(|plan| (plan.id.inner().to_owned(), plan.name.clone()));
    std::iter::once(none).chain(known).collect()
}

/// What was chosen among them.
fn chosen(plan: RwSignal<String>) -> Option<Id> {
    Some(plan.get_untracked()).filter(|id| !id.is_empty()).map(Id::new)
}

#[component]
pub fn TenantsPage() -> impl IntoView {
    let toasts = use_toasts();
    let (status, set_status) = query_signal_with_options::<String>("status", in_place());
    let (text, set_text) = query_signal_with_options::<String>("q", in_place());
    let create = RwSignal::new(false);
    let total = RwSignal::new(0);
    let tenants = Paged::new(move |after| {
        let wanted = status.get();
        let known = STATUSES.into_iter().find(|(name, _)| Some(*name) == wanted.as_deref());
        let filter = TenantFilter {
            text: text.get().filter(|text| !text.trim().is_empty()),
            status: known.map(|(_, status)| status),
            plan_id: None,
        };
        async move {
            let page = tenants::list(filter, PAGE_SIZE, after).await?;
            let _ = total.try_set(page.total_count);
            Ok((page.nodes, paged::next(page.page_info)))
        }
    });
    let known_plans = Remote::new(plans::list);
    let plans = Signal::derive(move || choices(&known_plans.ready().unwrap_or_default()));
    let changed = Callback::new(move |()| tenants.first.refresh());
    view! {
        <PlatformFrame>
            <header class="page-head">
                <h1>{words().tenants()}</h1>
                <Button
                    label=words().create_tenant() kind=Kind::Primary symbol=Icon::Plus testid="create-tenant"
                    on_press=move |()| create.set(true)
                />
            </header>
            <div class="filters">
                <SearchField
                    label=words().search_tenants() value=Signal::derive(move || text.get().unwrap_or_default())
                    on_input=move |wanted: String| set_text.set(Some(wanted).filter(|wanted| !wanted.is_empty()))
                />
                <div class="chips" role="group" aria-label=words().filter_by_status()>
                    <Chip label=words().all() name=None chosen=status.into() on_choose=move |name| set_status.set(name) />
                    {STATUSES.into_iter().map(|(name, known)| view! {
                        <Chip
                            label=words().tenant_status(known) name=Some(name) chosen=status.into()
                            on_choose=move |name| set_status.set(name)
                        />
                    }).collect_view()}
                </div>
                <span class="count">{move || (total.get() > 0).then(|| words().tenant_count(total.get()))}</span>
            </div>
            <Loaded remote=tenants.first rows=5>
                {move || if tenants.rows.with(Vec::is_empty) {
                    view! { <EmptyState symbol=Icon::Building title=words().no_tenants() text=words().no_tenants_text() /> }.into_any()
                } else {
                    view! {
                        <table class="table cards" data-testid="tenants">
                            <thead><tr>
                                <th scope="col">{words().name()}</th>
                                <th scope="col">{words().status()}</th>
                                <th scope="col">{words().plan()}</th>
                                <th scope="col">{words().created()}</th>
                                <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                            </tr></thead>
                            <tbody>
                                {tenants.rows.get().into_iter().map(|tenant| view! {
                                    <TenantRow tenant plans changed />
                                }).collect_view()}
                            </tbody>
                        </table>
                    }.into_any()
                }}
                {move || tenants.more.get().map(|_| view! {
                    <div class="more">
                        <Button
                            label=words().load_more() busy=tenants.busy
                            on_press=move |()| tenants.load_more(move |error| toasts.fail(error))
                        />
                    </div>
                })}
            </Loaded>
        </PlatformFrame>
        <CreateDialog open=create plans changed />
    }
}

fn tone(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Active => "good",
        TenantStatus::Suspended => "warn",
        TenantStatus::Deleting => "bad",
        TenantStatus::Other => "idle",
    }
}

#[component]
fn TenantRow(tenant: PlatformTenant, plans: Signal<Vec<(String, String)>>, changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let (edit, suspend, busy) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let kept = StoredValue::new(tenant.clone());
    let activate = move || {
        let request = tenants::activate(kept.with_value(|tenant| tenant.id.clone()));
        toasts.attempt(busy, request, move |tenant| {
            toasts.say(words().tenant_activated(&tenant.name));
            changed.run(());
        });
    };
    let status = tenant.status;
    let items = Signal::derive(move || {
        let mut items = vec![Item::new(words().edit(), move || edit.set(true)).symbol(Icon::Settings)];
        match status {
            TenantStatus::Active => items.push(
                Item::new(words().suspend(), move || suspend.set(true))
                    .symbol(Icon::Warning)
                    .danger(),
            ),
            TenantStatus::Suspended => items.push(Item::new(words().activate(), activate).symbol(Icon::Check)),
            TenantStatus::Deleting | TenantStatus::Other => {}
        }
        items
    });
    let plan = tenant.plan.map_or_else(
        || view! { <span class="none">{words().no_plan()}</span> }.into_any(),
        |plan| plan.name.into_any(),
    );
    view! {
        <tr data-testid="tenant-row" data-status=format!("{status:?}")>
            <td class="lead">
                <strong>{tenant.name.clone()}</strong>
                <span class="sub"><code>{tenant.slug}</code> {tenant.suspension_reason.map(|reason| view! { <q>{reason}</q> })}</span>
            </td>
            <td><Badge tone=tone(status) label=Signal::stored(words().tenant_status(status)) /></td>
            <td data-label=words().plan()>{plan}</td>
            <td data-label=words().created()><Timestamp at=tenant.created_at /></td>
            <td class="actions-cell">
                <Menu name=words().actions_of(&tenant.name) items testid="tenant-actions">{icon(Icon::More)}</Menu>
                <EditDialog open=edit tenant=kept plans changed />
                <SuspendDialog open=suspend tenant=kept changed />
            </td>
        </tr>
    }
}
