//! The operator's list of tenants, and what can be done to them.

mod actions;
mod create;
pub mod detail;
mod edit;
mod enter;
mod grants;
mod overrides;
mod password_link;
mod suspend;

use cynic::Id;
use leptos::prelude::*;
use leptos_router::{components::A, hooks::query_signal_with_options};

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
        icon::Icon,
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    pages::devices::{Chip, in_place},
    state::{
        paged::{Page, Paged},
        remote::Remote,
    },
    words::words,
};
use actions::{TenantActions, tone};
use create::CreateDialog;
use password_link::PasswordLinkDialog;

const PAGE_SIZE: i32 = 50;

const STATUSES: [(&str, TenantStatus); 3] = [
    ("active", TenantStatus::Active),
    ("suspended", TenantStatus::Suspended),
    ("deleting", TenantStatus::Deleting),
];

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
    let (status, set_status) = query_signal_with_options::<String>("status", in_place());
    let (text, set_text) = query_signal_with_options::<String>("q", in_place());
    let (create, link) = (RwSignal::new(false), RwSignal::new(false));
    let wanted = move || {
        let status = status.get();
        let known = STATUSES.into_iter().find(|(name, _)| Some(*name) == status.as_deref());
        TenantFilter {
            text: text.get().filter(|text| !text.trim().is_empty()),
            status: known.map(|(_, status)| status),
            plan_id: None,
        }
    };
    let tenants = Paged::new(
        |tenant: &PlatformTenant| tenant.id.inner().to_owned(),
        wanted,
        |filter, after| async move {
            let page = tenants::list(filter, PAGE_SIZE, after).await?;
            Ok(Page::new(page.nodes, page.page_info).of(page.total_count))
        },
    );
    let known_plans = Remote::new(plans::list);
    let plans = Signal::derive(move || choices(&known_plans.ready().unwrap_or_default()));
    let changed = Callback::new(move |()| tenants.first.refresh());
    view! {
        <PlatformFrame>
            <header class="page-head">
                <h1>{words().tenants()}</h1>
                <div class="head-actions">
                    <Button
                        label=words().password_link() symbol=Icon::Key testid="password-link"
                        on_press=move |()| link.set(true)
                    />
                    <Button
                        label=words().create_tenant() kind=Kind::Primary symbol=Icon::Plus testid="create-tenant"
                        on_press=move |()| create.set(true)
                    />
                </div>
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
                <span class="count">{move || tenants.total.get().filter(|total| *total > 0).map(|total| words().tenant_count(total))}</span>
            </div>
            <Loaded remote=tenants.first rows=5>
                {move || if tenants.empty.get() {
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
                            <tbody use:windowed=Windowed::paged(tenants, move |(_, tenant)| tenant_row(tenant, plans, changed))></tbody>
                        </table>
                    }.into_any()
                }}
                <MoreRows list=tenants />
            </Loaded>
        </PlatformFrame>
        <CreateDialog open=create plans changed />
        <PasswordLinkDialog open=link />
    }
}

/// Drawn anew when the tenant changed.
fn tenant_row(
    tenant: ArcRwSignal<PlatformTenant>,
    plans: Signal<Vec<(String, String)>>,
    changed: Callback<()>,
) -> AnyView {
    let tenant = RwSignal::from(tenant);
    view! {
        <tr data-testid="tenant-row" data-status=move || tenant.with(|tenant| format!("{:?}", tenant.status))>
            {move || cells(tenant.get(), plans, changed)}
        </tr>
    }
    .into_any()
}

fn cells(tenant: PlatformTenant, plans: Signal<Vec<(String, String)>>, changed: Callback<()>) -> impl IntoView {
    let status = tenant.status;
    let plan = tenant.plan.clone().map_or_else(
        || view! { <span class="none">{words().no_plan()}</span> }.into_any(),
        |plan| plan.name.into_any(),
    );
    let address = format!("/platform/tenants/{}", tenant.id.inner());
    let (name, slug) = (tenant.name.clone(), tenant.slug.clone());
    view! {
        <td class="lead">
            <A href=address attr:class="row-link" attr:data-row=""><strong>{name}</strong></A>
            <span class="sub">
                <code>{slug}</code> " "
                {tenant.suspension_reason.clone().map(|reason| view! { <q>{reason}</q> })}
            </span>
        </td>
        <td><Badge tone=tone(status) label=Signal::stored(words().tenant_status(status)) /></td>
        <td data-label=words().plan()>{plan}</td>
        <td data-label=words().created()><Timestamp at=tenant.created_at /></td>
        <td class="actions-cell"><TenantActions tenant plans changed /></td>
    }
}
