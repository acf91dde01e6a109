//! The fields of a device, for creating and for editing.

use leptos::prelude::*;

use crate::{
    api::{devices::Device, error::ApiError},
    components::{field::TextField, states::FormError},
    words::{self, words},
};

const FIELDS: [&str; 4] = ["name", "key", "remark", "tags"];

#[derive(Clone, Copy)]
pub struct Form {
    pub name: RwSignal<String>,
    pub key: RwSignal<String>,
    pub remark: RwSignal<String>,
    pub tags: RwSignal<String>,
    pub error: RwSignal<Option<ApiError>>,
    /// Refusals that need no server: shown after the first try.
    pub tried: RwSignal<bool>,
}

impl Form {
    pub fn new(device: Option<&Device>) -> Self {
        let text = |value: Option<String>| RwSignal::new(value.unwrap_or_default());
        Self {
            name: text(device.map(|device| device.name.clone())),
            key: text(device.and_then(|device| device.key.clone())),
            remark: text(device.and_then(|device| device.remark.clone())),
            tags: text(device.map(|device| device.tags.join(", "))),
            error: RwSignal::new(None),
            tried: RwSignal::new(false),
        }
    }

    pub fn name(self) -> String {
        self.name.get_untracked().trim().to_owned()
    }

    pub fn key(self) -> Option<String> {
        filled(self.key)
    }

    pub fn remark(self) -> Option<String> {
        filled(self.remark)
    }

    pub fn tags(self) -> Vec<String> {
        let tags = self.tags.get_untracked();
        tags.split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Whether it can be sent.
    pub fn check(self) -> bool {
        self.tried.set(true);
        self.error.set(None);
        untrack(|| self.name_fault().is_none() && self.key_fault().is_none())
    }

    fn name_fault(self) -> Option<String> {
        self.name
            .with(|name| name.trim().is_empty())
            .then(|| words().name_missing().to_owned())
    }

    fn key_fault(self) -> Option<String> {
        let key = self.key.get();
        let key = key.trim();
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let fine = key.is_empty() || ((3..=50).contains(&key.len()) && key.chars().all(allowed));
        (!fine).then(|| words().key_malformed().to_owned())
    }

    fn fault(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            let own = match field {
                "name" if self.tried.get() => self.name_fault(),
                "key" if self.tried.get() => self.key_fault(),
                _ => None,
            };
            own.or_else(|| {
                self.error
                    .with(|error| error.as_ref()?.of_field(field).map(words::refusal))
            })
        })
    }
}

fn filled(signal: RwSignal<String>) -> Option<String> {
    let text = signal.get_untracked().trim().to_owned();
    Some(text).filter(|text| !text.is_empty())
}

#[component]
pub fn DeviceFields(form: Form) -> impl IntoView {
    let rest = Signal::derive(move || form.error.with(|error| error.as_ref()?.beside(&FIELDS).cloned()));
    view! {
        <FormError error=rest />
        <TextField
            id="device-name" label=words().name() value=form.name error=form.fault("name") hint=words().name_hint()
            required=true autofocus=true max_length=100
        />
        <TextField
            id="device-key" label=words().key_optional() value=form.key error=form.fault("key") hint=words().key_hint()
            max_length=50
        />
        <TextField
            id="device-remark" label=words().remark_optional() value=form.remark error=form.fault("remark")
            max_length=500
        />
        <TextField
            id="device-tags" label=words().tags_optional() value=form.tags error=form.fault("tags")
            hint=words().tags_hint()
        />
    }
}
