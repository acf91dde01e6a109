//! Usage over time as bars, one card per figure, read together; and as a table.

use cynic::Id;
use leptos::prelude::*;

use super::states::Loaded;
use crate::{
    api::{
        audit::TimeRange,
        tenancy::Meter,
        usage::{self, Granularity, UsagePoint},
        values::{At, BigInt},
    },
    state::{format, remote::Remote},
    words::words,
};

const SPANS: [Granularity; 3] = [Granularity::Day, Granularity::Week, Granularity::Month];
const DAY_MS: f64 = 86_400_000.0;
/// In units of the drawing, which is stretched to its place.
const BAR: usize = 10;
const HEIGHT: f64 = 100.0;

/// One figure of every point.
struct Series {
    name: String,
    read: fn(&UsagePoint) -> BigInt,
    /// Whether the points add up, or each is how it stood.
    adds: bool,
}

fn series() -> [Series; 5] {
    let of = |name: String, read: fn(&UsagePoint) -> BigInt, adds: bool| Series { name, read, adds };
    [
        of(words().messages_out().to_owned(), |point| point.messages_out, true),
        of(words().messages_in().to_owned(), |point| point.messages_in, true),
        of(
            words().campaign_recipients().to_owned(),
            |point| point.campaign_recipients,
            true,
        ),
        of(words().meter(Meter::Devices), |point| point.devices, false),
        of(words().meter(Meter::Members), |point| point.members, false),
    ]
}

fn range(granularity: Granularity) -> TimeRange {
    let days = match granularity {
        Granularity::Day => 29.0,
        Granularity::Week => 25.0 * 7.0,
        Granularity::Month => 335.0,
    };
    TimeRange {
        from: Some(At(At::now().0 - days * DAY_MS)),
        to: None,
    }
}

/// Of the own tenant or, for operators, of another one.
#[component]
pub fn UsageOverTime(#[prop(optional)] of: Option<Id>) -> impl IntoView {
    let span = RwSignal::new(Granularity::Day);
    let points = Remote::new(move || {
        let (of, granularity) = (of.clone(), span.get());
        async move {
            match of {
                Some(id) => usage::of_tenant(id, range(granularity), granularity).await,
                None => usage::own(range(granularity), granularity).await,
            }
        }
    });
    view! {
        <section class="section">
            <div class="card-head">
                <h2>{words().over_time()}</h2>
                <div class="chips" role="group" aria-label=words().span()>
                    {SPANS.into_iter().map(|known| view! {
                        <button
                            type="button" class="chip" aria-pressed=move || if span.get() == known { "true" } else { "false" }
                            data-testid=format!("span-{known:?}") on:click=move |_| span.set(known)
                        >
                            {words().granularity(known)}
                        </button>
                    }).collect_view()}
                </div>
            </div>
            <Loaded remote=points rows=2 shape="block">
                {move || points.ready().map(|points| view! { <Charts points span /> })}
            </Loaded>
        </section>
    }
}

#[component]
fn Charts(points: Vec<UsagePoint>, span: RwSignal<Granularity>) -> impl IntoView {
    // The point under the pointer, in every chart.
    let at = RwSignal::new(None::<usize>);
    let granularity = span.get_untracked();
    let labels: Vec<String> = points.iter().map(|point| label(point.from, granularity)).collect();
    let labels = StoredValue::new(labels);
    let charts = series().into_iter().map(|series| {
        let values: Vec<i64> = points.iter().map(|point| (series.read)(point).0).collect();
        view! { <Chart name=series.name adds=series.adds values labels at /> }
    });
    view! {
        <ul class="usage-charts" data-testid="usage-over-time">{charts.collect_view()}</ul>
        <details class="disclosure">
            <summary>{words().as_table()}</summary>
            <div class="scroll-x">
                <table class="table">
                    <thead><tr>
                        <th scope="col">{words().beginning()}</th>
                        {series().into_iter().map(|series| view! { <th scope="col" class="numeric">{series.name}</th> }).collect_view()}
                    </tr></thead>
                    <tbody>
                        {points.iter().rev().map(|point| view! {
                            <tr>
                                <td>{label(point.from, granularity)}</td>
                                {series().into_iter().map(|series| view! {
                                    <td class="numeric">{format::whole((series.read)(point).0)}</td>
                                }).collect_view()}
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </div>
        </details>
    }
}

fn label(from: At, granularity: Granularity) -> String {
    if granularity == Granularity::Month {
        format::month(from)
    } else {
        format::day_short(from)
    }
}

#[component]
fn Chart(
    name: String,
    adds: bool,
    values: Vec<i64>,
    labels: StoredValue<Vec<String>>,
    at: RwSignal<Option<usize>>,
) -> impl IntoView {
    let most = values.iter().copied().max().unwrap_or(0);
    let (whole, note) = if adds {
        (values.iter().sum(), words().in_all())
    } else {
        (values.last().copied().unwrap_or(0), words().at_present())
    };
    let told = words().bars_of(
        &name,
        i32::try_from(values.len()).unwrap_or(i32::MAX),
        &format::whole(most),
    );
    let bars = values.iter().enumerate().map(|(index, value)| {
        let height = height(*value, most);
        view! {
            <rect
                class="bar" class:at=move || at.get() == Some(index) x=index * BAR + 1 y=HEIGHT - height width=BAR - 2
                height=height
            ></rect>
            <rect class="bar-reach" x=index * BAR y="0" width=BAR height=HEIGHT on:pointerenter=move |_| at.set(Some(index))></rect>
        }
    });
    let bars = bars.collect_view();
    let drawn = format!("0 0 {} {HEIGHT}", values.len().max(1) * BAR);
    let shown = StoredValue::new(values);
    let figure = move || {
        at.get()
            .and_then(|index| shown.with_value(|values| values.get(index).copied()))
    };
    let when = move || {
        at.get()
            .and_then(|index| labels.with_value(|labels| labels.get(index).cloned()))
    };
    view! {
        <li class="usage-chart">
            <p class="limit-name">{name}</p>
            <p class="limit-figure">
                <strong>{move || format::whole(figure().unwrap_or(whole))}</strong> " "
                <span class="sub">{move || when().unwrap_or_else(|| note.to_owned())}</span>
            </p>
            <svg
                class="bars" viewBox=drawn preserveAspectRatio="none" role="img" aria-label=told
                on:pointerleave=move |_| at.set(None)
            >
                {bars}
            </svg>
        </li>
    }
}

/// How high a bar is. What is more than nothing is seen.
#[expect(clippy::cast_precision_loss, reason = "a part of the height of a drawing")]
fn height(value: i64, most: i64) -> f64 {
    if value <= 0 || most <= 0 {
        0.0
    } else {
        (value as f64 / most as f64 * HEIGHT).max(2.0)
    }
}
