//! A tenant's limits, and where they differ from its plan's: seen beside the plan, and changed.

use leptos::prelude::*;

use super::super::limit_fields::whole_number;
use crate::{
    api::{
        platform::{
            plans::{MeterLimit, MeterLimitInput, Plan},
            tenants::{self, TenantDetail},
        },
        tenancy::{Meter, TenantStatus},
        values::BigInt,
    },
    components::{
        button::Button,
        dialog::{Dialog, DialogFoot},
        field::{FieldError, NumberInput, Select},
        form::{Form, Sending},
        icon::Icon,
        limits::{LimitBars, amount},
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};

/// A meter follows the plan, has a limit of its own, or none.
const CHOICES: [&str; 3] = ["plan", "own", "none"];

#[component]
pub fn Limits(detail: TenantDetail, known_plans: Remote<Vec<Plan>>, changed: Callback<()>) -> impl IntoView {
    let open = RwSignal::new(false);
    let plan = detail.tenant.plan.clone();
    // The plan's limits come by themselves, a moment later.
    let of_plan = Signal::derive(move || {
        let plans = known_plans.ready().unwrap_or_default();
        let known = plans
            .into_iter()
            .find(|known| Some(&known.id) == plan.as_ref().map(|plan| &plan.id));
        known.map(|plan| plan.limits).unwrap_or_default()
    });
    let kept = StoredValue::new(detail.clone());
    let can_change = detail.tenant.status != TenantStatus::Deleting;
    view! {
        <section class="section">
            <div class="section-head">
                <h2>{words().limits()}</h2>
                {can_change.then(|| view! {
                    <Button
                        label=words().change_limits() symbol=Icon::Settings testid="change-limits"
                        on_press=move |()| open.set(true)
                    />
                })}
            </div>
            <LimitBars limits=detail.limits />
            <Differences overrides=detail.limit_overrides of_plan />
            <Dialog open title=words().limits_of(&detail.tenant.name) testid="limits-dialog">
                <OverridesForm open detail=kept of_plan changed />
            </Dialog>
        </section>
    }
}

/// What was agreed beside the plan.
#[component]
fn Differences(overrides: Vec<MeterLimit>, of_plan: Signal<Vec<MeterLimit>>) -> impl IntoView {
    let known: Vec<MeterLimit> = overrides
        .into_iter()
        .filter(|limit| limit.meter != Meter::Other)
        .collect();
    if known.is_empty() {
        return view! { <p class="page-text overrides-none" data-testid="overrides">{words().no_overrides()}</p> }
            .into_any();
    }
    let rows = known.into_iter().map(|limit| {
        let meter = limit.meter;
        view! {
            <tr>
                <th scope="row">{words().meter(meter)}</th>
                <td>{move || of_plan.with(|plan| shown(meter, limit_of(plan, meter)))}</td>
                <td><strong>{shown(meter, limit.limit)}</strong></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <div class="scroll-x">
            <table class="table rules overrides" data-testid="overrides">
                <caption>{words().overrides()}</caption>
                <thead><tr>
                    <th scope="col">{words().limit()}</th>
                    <th scope="col">{words().of_plan()}</th>
                    <th scope="col">{words().of_this_tenant()}</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// What is being chosen for a meter.
#[derive(Clone, Copy)]
struct Row {
    meter: Meter,
    choice: RwSignal<String>,
    text: RwSignal<String>,
}

impl Row {
    fn of(meter: Meter, overrides: &[MeterLimit]) -> Self {
        let known = overrides.iter().find(|limit| limit.meter == meter);
        let (choice, text) = match known.map(|known| known.limit) {
            None => (CHOICES[0], String::new()),
            Some(Some(limit)) => (CHOICES[1], limit.0.to_string()),
            Some(None) => (CHOICES[2], String::new()),
        };
        Self {
            meter,
            choice: RwSignal::new(choice.to_owned()),
            text: RwSignal::new(text),
        }
    }

    /// What differs from the plan, if anything; an error when a number is missing.
    fn read(self) -> Result<Option<MeterLimitInput>, ()> {
        let limit = match self.choice.get_untracked().as_str() {
            "own" => Some(whole_number(&self.text.get_untracked()).map_err(|_| ())?.ok_or(())?),
            "none" => None,
            _ => return Ok(None),
        };
        Ok(Some(MeterLimitInput {
            meter: self.meter,
            limit,
        }))
    }
}

/// Made anew at each opening, so that it begins with the tenant as it is.
#[component]
fn OverridesForm(
    open: RwSignal<bool>,
    detail: StoredValue<TenantDetail>,
    of_plan: Signal<Vec<MeterLimit>>,
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let rows = detail.with_value(|detail| Meter::ALL.map(|meter| Row::of(meter, &detail.limit_overrides)));
    let sending = Sending::new();
    let malformed = RwSignal::new(false);
    let refused = sending.fault("limitOverrides");
    let submit = move |()| {
        let read: Result<Vec<_>, ()> = rows.into_iter().map(Row::read).collect();
        malformed.set(read.is_err());
        let Ok(overrides) = read else { return };
        let id = detail.with_value(|detail| detail.tenant.id.clone());
        let overrides = overrides.into_iter().flatten().collect();
        sending.send(tenants::set_overrides(id, overrides), move |_| {
            open.set(false);
            toasts.say(words().saved());
            changed.run(());
        });
    };
    view! {
        <Form sending fields=&["limitOverrides"] on_submit=submit>
            <p class="hint">{words().overrides_hint()}</p>
            <ul class="override-fields">
                {rows.into_iter().map(|row| view! { <OverrideRow row of_plan /> }).collect_view()}
            </ul>
            {move || malformed.get().then(|| view! { <FieldError text=words().own_limit_missing() /> })}
            {move || refused.get().map(|text| view! { <FieldError text /> })}
            <DialogFoot open verb=words().save() busy=sending.busy testid="limits-submit" />
        </Form>
    }
}

#[component]
fn OverrideRow(row: Row, of_plan: Signal<Vec<MeterLimit>>) -> impl IntoView {
    let Row { meter, choice, text } = row;
    let name = if meter == Meter::MediaBytes {
        words().media_in_bytes().to_owned()
    } else {
        words().meter(meter)
    };
    let options = Signal::derive(move || {
        let plan = of_plan.with(|plan| shown(meter, limit_of(plan, meter)));
        let labels = [
            words().as_plan(&plan),
            words().own_limit().to_owned(),
            words().unlimited().to_owned(),
        ];
        CHOICES.into_iter().map(str::to_owned).zip(labels).collect::<Vec<_>>()
    });
    let field = name.clone();
    view! {
        <li>
            <span class="override-name" aria-hidden="true">{name.clone()}</span>
            <Select
                id=format!("override-{meter:?}") label=name label_hidden=true options value=choice
                on_change=move |chosen| choice.set(chosen)
            />
            {move || (choice.get() == "own").then(|| view! {
                <NumberInput id=format!("own-{meter:?}") value=text name=field.clone() />
            })}
        </li>
    }
}

fn limit_of(limits: &[MeterLimit], meter: Meter) -> Option<BigInt> {
    limits.iter().find(|limit| limit.meter == meter)?.limit
}

fn shown(meter: Meter, limit: Option<BigInt>) -> String {
    limit.map_or_else(|| words().unlimited().to_owned(), |most| amount(meter, most))
}
