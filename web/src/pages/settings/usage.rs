//! What the plan allows, and how much of it is used.

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    api::{
        account::Permission,
        tenancy::{self, TenantUsage},
    },
    components::{limits::LimitBars, states::Loaded, usage_bars::UsageOverTime},
    state::{live, remote::Remote, session::use_session, soon::Soon},
    words::words,
};

/// Events come in bursts; the bars follow at most this often.
const PAUSE_MS: u32 = 2_000;

#[component]
pub fn UsagePage() -> impl IntoView {
    let remote = Remote::new(tenancy::get);
    let soon = Soon::new(PAUSE_MS, move || remote.refresh());
    live::on_event(move |_| soon.call());
    view! {
        <SettingsFrame>
            <header class="page-head"><h1>{words().usage()}</h1></header>
            <Loaded remote rows=4 shape="block">
                {move || remote.ready().map(|tenant| view! { <Used tenant /> })}
            </Loaded>
            {use_session().may(Permission::ReadAnalytics).then(|| view! { <UsageOverTime /> })}
        </SettingsFrame>
    }
}

#[component]
fn Used(tenant: TenantUsage) -> impl IntoView {
    let plan = tenant
        .plan
        .map_or_else(|| words().no_plan().to_owned(), |plan| plan.name);
    // What exists stays used; what is counted in a window begins anew.
    let (windows, existing): (Vec<_>, Vec<_>) = tenant.limits.into_iter().partition(|limit| limit.resets_at.is_some());
    view! {
        <p class="page-text">{words().usage_text()} " " {words().plan()} ": " <strong data-testid="plan-name">{plan}</strong></p>
        <LimitBars limits=windows />
        <section class="section">
            <h2>{words().existing_now()}</h2>
            <LimitBars limits=existing />
        </section>
    }
}
