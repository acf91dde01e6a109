//! One number per meter, empty for no limit.

use std::num::ParseIntError;

use leptos::prelude::*;

use crate::{
    api::{
        platform::plans::{MeterLimit, MeterLimitInput},
        tenancy::Meter,
        values::BigInt,
    },
    components::field::NumberInput,
    words::words,
};

/// The texts that are being written, one per meter.
#[derive(Clone)]
pub struct LimitTexts(Vec<(Meter, RwSignal<String>)>);

impl LimitTexts {
    pub fn new(limits: &[MeterLimit]) -> Self {
        let text = |meter: Meter| {
            let known = limits.iter().find(|limit| limit.meter == meter);
            let number = known.and_then(|limit| limit.limit).map(|limit| limit.0.to_string());
            (meter, RwSignal::new(number.unwrap_or_default()))
        };
        Self(Meter::ALL.into_iter().map(text).collect())
    }

    /// What they say; none when one of them is no number.
    pub fn read(&self) -> Option<Vec<MeterLimitInput>> {
        let mut limits = Vec::new();
        for (meter, text) in &self.0 {
            if let Some(number) = whole_number(&text.get_untracked()).ok()? {
                limits.push(MeterLimitInput {
                    meter: *meter,
                    limit: Some(number),
                });
            }
        }
        Some(limits)
    }
}

/// What a field for a number says; nothing when it is empty. Digits may be grouped.
pub fn whole_number(text: &str) -> Result<Option<BigInt>, ParseIntError> {
    let digits: String = text
        .chars()
        .filter(|letter| !matches!(letter, ' ' | ',' | '.' | '_' | '\u{a0}'))
        .collect();
    if digits.is_empty() {
        return Ok(None);
    }
    let number: u64 = digits.parse()?;
    // What is too much even for that, the server refuses.
    Ok(Some(BigInt(i64::try_from(number).unwrap_or(i64::MAX))))
}

#[component]
pub fn LimitFields(texts: LimitTexts) -> impl IntoView {
    view! {
        <fieldset class="limit-fields">
            <legend>{words().limits()}</legend>
            <p class="hint">{words().limits_hint()}</p>
            {texts.0.into_iter().map(|(meter, text)| {
                let id = format!("limit-{meter:?}");
                view! {
                    <label for=id.clone()>
                        {if meter == Meter::MediaBytes { words().media_in_bytes().to_owned() } else { words().meter(meter) }}
                    </label>
                    <NumberInput id value=text />
                }
            }).collect_view()}
        </fieldset>
    }
}
