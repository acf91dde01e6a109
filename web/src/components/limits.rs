//! Limits as bars: how much of each is used.

use leptos::prelude::*;

use super::facts::Timestamp;
use crate::{
    api::{
        tenancy::{Limit, Meter},
        values::BigInt,
    },
    state::format,
    words::words,
};

/// From here on a limit is nearly used up, in percent.
const HIGH: i64 = 80;

#[component]
pub fn LimitBars(limits: Vec<Limit>) -> impl IntoView {
    view! {
        <ul class="limits" data-testid="limits">
            {limits.into_iter().filter(|limit| limit.meter != Meter::Other).map(|limit| view! { <LimitBar limit /> }).collect_view()}
        </ul>
    }
}

#[component]
fn LimitBar(limit: Limit) -> impl IntoView {
    let name = words().meter(limit.meter);
    let used = amount(limit.meter, limit.used);
    let full = limit.most.map(|most| percent(limit.used, most));
    let tone = match full {
        Some(100..) => "bad",
        Some(HIGH..) => "warn",
        _ => "good",
    };
    let told = limit.most.map_or_else(
        || words().unlimited().to_owned(),
        |most| words().of_limit(&amount(limit.meter, most)),
    );
    view! {
        <li class=format!("limit {tone}") data-testid="limit" data-meter=format!("{:?}", limit.meter)>
            <p class="limit-name">{name.clone()}</p>
            <p class="limit-figure"><strong>{used.clone()}</strong> " " <span class="sub">{told.clone()}</span></p>
            {full.map(|full| view! {
                <progress class="progress" max="100" value=full.min(100) aria-label=name aria-valuetext=format!("{used} {told}")></progress>
            })}
            <p class="limit-note">
                {(tone == "bad").then(|| view! { <span class="limit-reached">{words().limit_reached()} " "</span> })}
                {limit.resets_at.map(|at| view! { {words().begins_anew()} " " <Timestamp at=Signal::stored(at) /> })}
            </p>
        </li>
    }
}

/// How full a limit is; one of nothing is full.
fn percent(used: BigInt, most: BigInt) -> i64 {
    if most.0 <= 0 {
        100
    } else {
        used.0.saturating_mul(100) / most.0
    }
}

/// A figure of a meter: bytes with their unit, everything else with its digits grouped.
pub fn amount(meter: Meter, value: BigInt) -> String {
    if meter == Meter::MediaBytes {
        format::bytes(value.0)
    } else {
        format::whole(value.0)
    }
}
