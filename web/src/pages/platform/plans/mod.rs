//! Plans: what tenants of a kind may use.

mod form;

use leptos::prelude::*;

use super::PlatformFrame;
use crate::{
    api::{
        platform::plans::{self, Plan},
        tenancy::Meter,
    },
    components::{
        button::{Button, Kind},
        dialog::{Confirm, Dialog},
        icon::{Icon, icon},
        limits::amount,
        menu::{Item, Menu},
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};
use form::PlanForm;

#[component]
pub fn PlansPage() -> impl IntoView {
    let remote = Remote::new(plans::list);
    let create = RwSignal::new(false);
    let saved = Callback::new(move |()| remote.refresh());
    view! {
        <PlatformFrame>
            <header class="page-head">
                <h1>{words().plans()}</h1>
                <Button
                    label=words().create_plan() kind=Kind::Primary symbol=Icon::Plus testid="create-plan"
                    on_press=move |()| create.set(true)
                />
            </header>
            <Loaded remote rows=3 shape="block">
                {move || {
                    let plans = remote.ready().unwrap_or_default();
                    if plans.is_empty() {
                        return view! { <EmptyState symbol=Icon::Layers title=words().no_plans() text=words().no_plans_text() /> }.into_any();
                    }
                    view! {
                        <div class="plan-list">
                            {plans.into_iter().map(|plan| view! { <PlanCard plan saved /> }).collect_view()}
                        </div>
                    }.into_any()
                }}
            </Loaded>
        </PlatformFrame>
        <Dialog open=create title=words().create_plan() testid="plan-dialog">
            <PlanForm open=create plan=None saved />
        </Dialog>
    }
}

#[component]
fn PlanCard(plan: Plan, saved: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let (edit, asking, busy) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let kept = StoredValue::new(plan.clone());
    let delete = move |()| {
        toasts.attempt(
            busy,
            plans::delete(kept.with_value(|plan| plan.id.clone())),
            move |_| {
                let _ = asking.try_set(false);
                saved.run(());
            },
        );
    };
    let items = Signal::derive(move || {
        vec![
            Item::new(words().edit(), move || edit.set(true)).symbol(Icon::Settings),
            Item::new(words().delete(), move || asking.set(true))
                .symbol(Icon::Trash)
                .danger(),
        ]
    });
    view! {
        <section class="card plan" data-testid="plan">
            <div class="card-head">
                <h2>{plan.name.clone()}</h2>
                <Menu name=words().actions_of(&plan.name) items testid="plan-actions">{icon(Icon::More)}</Menu>
            </div>
            {plan.description.map(|text| view! { <p class="sub">{text}</p> })}
            <dl class="plan-limits">
                {plan.limits.iter().filter(|limit| limit.meter != Meter::Other).map(|limit| view! {
                    <div>
                        <dt>{words().meter(limit.meter)}</dt>
                        <dd>{limit.limit.map(|most| amount(limit.meter, most))}</dd>
                    </div>
                }).collect_view()}
            </dl>
            {plan.limits.is_empty().then(|| view! { <p class="sub">{words().unlimited()}</p> })}
            <Confirm
                open=asking title=words().delete_plan(&plan.name) consequence=words().delete_plan_text()
                verb=words().delete() busy on_confirm=delete
            />
            <Dialog open=edit title=words().edit_plan() testid="plan-dialog">
                <PlanForm open=edit plan=Some(kept.get_value()) saved />
            </Dialog>
        </section>
    }
}
