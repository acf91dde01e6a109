//! The fields of a tenant's country, time zone and language.

use js_sys::{Array, Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

use super::{
    field::{Select, TextField},
    form::Sending,
};
use crate::words::{Language, words};

/// What is being written.
#[derive(Clone, Copy)]
pub struct RegionTexts {
    pub country: RwSignal<String>,
    pub language: RwSignal<String>,
    pub zone: RwSignal<String>,
}

impl RegionTexts {
    pub fn new(country: &str, language: &str, zone: &str) -> Self {
        Self {
            country: RwSignal::new(country.to_owned()),
            language: RwSignal::new(language.to_owned()),
            zone: RwSignal::new(zone.to_owned()),
        }
    }

    pub fn country(self) -> String {
        self.country.get_untracked().trim().to_uppercase()
    }

    pub fn time_zone(self) -> String {
        self.zone.get_untracked().trim().to_owned()
    }
}

#[component]
pub fn RegionFields(texts: RegionTexts, sending: Sending) -> impl IntoView {
    view! {
        <TextField
            id="tenant-country" label=words().default_country() value=texts.country
            error=sending.fault("defaultCountry") hint=words().default_country_hint() max_length=2
        />
        <TextField
            id="tenant-zone" label=words().time_zone() value=texts.zone error=sending.fault("timeZone")
            hint=words().time_zone_hint() list="time-zones"
        />
        <datalist id="time-zones">
            {time_zones().into_iter().map(|zone| view! { <option value=zone></option> }).collect_view()}
        </datalist>
    }
}

#[component]
pub fn LanguageSelect(texts: RegionTexts) -> impl IntoView {
    let languages: Vec<(String, String)> = Language::ALL
        .into_iter()
        .map(|language| (language.code().to_owned(), language.name().to_owned()))
        .collect();
    view! {
        <Select
            id="tenant-language" label=words().default_language() options=Signal::stored(languages) value=texts.language
            on_change=move |chosen| texts.language.set(chosen)
        />
    }
}

/// The zones that the browser knows, to choose from; older browsers tell none.
fn time_zones() -> Vec<String> {
    let known = || -> Option<Array> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let list: Function = Reflect::get(&intl, &"supportedValuesOf".into()).ok()?.dyn_into().ok()?;
        list.call1(&JsValue::UNDEFINED, &"timeZone".into())
            .ok()?
            .dyn_into()
            .ok()
    };
    known()
        .map(|zones| zones.iter().filter_map(|zone| zone.as_string()).collect())
        .unwrap_or_default()
}

/// The zone of whoever looks: a good guess for a customer's.
pub fn own_time_zone() -> Option<String> {
    let options = js_sys::Intl::DateTimeFormat::default().resolved_options();
    Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}
