//! One tenant, for operators: what it is, what it uses, who was let in.

use cynic::Id;
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_params_map};

use super::{
    super::PlatformFrame,
    actions::{TenantActions, tone},
    choices,
    enter::EnterDialog,
    grants::Grants,
    overrides::Limits,
};
use crate::{
    api::{
        platform::{
            plans,
            tenants::{self, TenantDetail},
        },
        tenancy::TenantStatus,
    },
    components::{
        badge::Badge,
        button::{Button, ButtonLink, Kind},
        facts::{Fact, IdText, Timestamp},
        icon::{Icon, icon},
        states::{EmptyState, Loaded},
        usage_bars::UsageOverTime,
    },
    state::remote::Remote,
    words::words,
};

#[component]
pub fn TenantPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    move || view! { <TenantOf id=Id::new(id.get()) /> }
}

#[component]
fn TenantOf(id: Id) -> impl IntoView {
    let wanted = id.clone();
    let remote = Remote::new(move || tenants::get(wanted.clone()));
    let known_plans = Remote::new(plans::list);
    let plans = Signal::derive(move || choices(&known_plans.ready().unwrap_or_default()));
    let changed = Callback::new(move |()| remote.refresh());
    let there = Memo::new(move |_| remote.ready().flatten().is_some());
    let id = StoredValue::new(id);
    view! {
        <PlatformFrame>
            <A href="/platform/tenants" attr:class="back">{icon(Icon::ArrowLeft)}{words().tenants()}</A>
            <Loaded remote rows=4 shape="block">
                {move || remote.ready().map(|found| match found {
                    Some(detail) => view! { <Head detail plans changed /> }.into_any(),
                    None => view! {
                        <EmptyState
                            whole_page=true symbol=Icon::Building title=words().no_such_tenant()
                            text=words().no_such_tenant_text()
                        >
                            <ButtonLink href="/platform/tenants" label=words().to_tenants() />
                        </EmptyState>
                    }.into_any(),
                })}
                {move || there.get().then(|| view! {
                    <Grants tenant=id.get_value() />
                    <UsageOverTime of=id.get_value() />
                })}
                {move || remote.ready().flatten().map(|detail| view! {
                    <Limits detail known_plans changed />
                    <section class="section">
                        <h2>{words().export_tenant()}</h2>
                        <p class="page-text">{words().export_text()} " " {words().export_by_entering()}</p>
                    </section>
                })}
            </Loaded>
        </PlatformFrame>
    }
}

#[component]
fn Head(detail: TenantDetail, plans: Signal<Vec<(String, String)>>, changed: Callback<()>) -> impl IntoView {
    let tenant = detail.tenant;
    let status = tenant.status;
    let enter = RwSignal::new(false);
    let kept = StoredValue::new(tenant.clone());
    let log = format!("/platform/audit?tenant={}", tenant.id.inner());
    let plan = tenant
        .plan
        .clone()
        .map_or_else(|| words().no_plan().to_owned(), |plan| plan.name);
    view! {
        <header class="page-head detail-head">
            <div>
                <h1>{tenant.name.clone()} " " <Badge tone=tone(status) label=Signal::stored(words().tenant_status(status)) /></h1>
                <p class="sub">{tenant.suspension_reason.clone().map(|reason| view! { <q>{reason}</q> })}</p>
            </div>
            <div class="head-actions">
                {(status != TenantStatus::Deleting).then(|| view! {
                    <Button
                        label=words().enter_tenant() kind=Kind::Primary symbol=Icon::Key testid="enter-tenant"
                        on_press=move |()| enter.set(true)
                    />
                    <EnterDialog open=enter tenant=kept />
                })}
                <TenantActions tenant=tenant.clone() plans changed />
            </div>
        </header>
        <dl class="facts card facts-card" data-testid="tenant-facts">
            <Fact term=words().short_name()><code>{tenant.slug}</code></Fact>
            <Fact term="ID"><IdText id=tenant.id.into_inner() /></Fact>
            <Fact term=words().plan()>{plan}</Fact>
            <Fact term=words().default_country()>{tenant.default_country}</Fact>
            <Fact term=words().time_zone()>{tenant.time_zone}</Fact>
            <Fact term=words().created()><Timestamp at=tenant.created_at /></Fact>
            <Fact term=words().audit_log()><A href=log attr:class="text-button">{words().audit_of_tenant()}</A></Fact>
        </dl>
    }
}
