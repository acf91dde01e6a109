//! Choosing one of the tenant's devices, however many there are: the server searches while one types.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};

use super::combobox::{Choice, Combobox, Search};
use crate::{
    api::devices::{self, Device, DeviceFilter, DeviceStatus},
    state::phone,
    words::words,
};

/// So many are offered at once; typing brings the others.
const OFFERED: i32 = 30;

/// Which devices can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those that have an account to write from.
    Linked,
}

impl Which {
    fn filter(self, text: &str) -> DeviceFilter {
        let linked = [
            DeviceStatus::Connected,
            DeviceStatus::Degraded,
            DeviceStatus::Disconnected,
            DeviceStatus::Failed,
        ];
        DeviceFilter {
            status: (self == Self::Linked).then(|| linked.to_vec()),
            text: Some(searchable(text)).filter(|text| !text.is_empty()),
            ..DeviceFilter::default()
        }
    }
}

/// A number is found however its digits are grouped.
fn searchable(text: &str) -> String {
    let is_number = text
        .chars()
        .all(|letter| letter.is_ascii_digit() || " +-().".contains(letter));
    if is_number {
        text.chars().filter(char::is_ascii_digit).collect()
    } else {
        text.to_owned()
    }
}

/// The devices that fit a text, by name, and whether there are more of them.
pub async fn find(which: Which, text: &str) -> Result<(Vec<Device>, bool), crate::api::error::ApiError> {
    let page = devices::list(which.filter(text), OFFERED, None).await?;
    let devices = page.nodes.into_iter();
    let devices = devices.filter(|device| which == Which::All || device.is_linked());
    Ok((devices.collect(), page.page_info.has_next_page))
}

#[component]
pub fn DevicePicker(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] label_hidden: bool,
    which: Which,
    /// The chosen device's id; empty for none.
    #[prop(into)]
    value: Signal<String>,
    /// What it means to choose none, where one may.
    #[prop(optional, into)]
    none: Option<String>,
    /// Told the device's id, or the empty text.
    #[prop(into)]
    on_choose: Callback<String>,
) -> impl IntoView {
    let name = RwSignal::new((String::new(), String::new()));
    Effect::new(move |_| {
        let id = value.get();
        if id.is_empty() || name.with_untracked(|(known, _)| *known == id) {
            return;
        }
        spawn_local(async move {
            // Without an answer the field stays empty; what is chosen is in the address or the form.
            if let Ok(Some(device)) = devices::get(id.clone()).await
                && value.try_get_untracked().as_ref() == Some(&id)
            {
                name.set((id, device.name));
            }
        });
    });
    let words_for_none = StoredValue::new(none);
    let chosen = Signal::derive(move || {
        let id = value.get();
        if id.is_empty() {
            return words_for_none.get_value().unwrap_or_default();
        }
        name.with(|(known, name)| if *known == id { name.clone() } else { String::new() })
    });
    let search: Search = Rc::new(move |text| {
        Box::pin(async move {
            let (devices, more) = find(which, &text).await?;
            let none = words_for_none.try_get_value().flatten().filter(|_| text.is_empty());
            let none = none.map(|label| Choice {
                value: String::new(),
                label,
                detail: String::new(),
            });
            let devices = devices.into_iter().map(|device| Choice {
                value: device.id.inner().to_owned(),
                detail: device.phone_number.map_or_else(
                    || words().device_status(device.status).to_owned(),
                    |number| phone::grouped(&number.0),
                ),
                label: device.name,
            });
            Ok((none.into_iter().chain(devices).collect(), more))
        })
    });
    view! {
        <Combobox
            id label label_hidden chosen search
            on_choose=move |choice: Choice| {
                name.set((choice.value.clone(), choice.label));
                on_choose.run(choice.value);
            }
        />
    }
}
