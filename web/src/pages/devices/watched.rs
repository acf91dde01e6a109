//! One device that a page shows, as it is now.

use leptos::prelude::*;

use crate::{
    api::devices::{self, Device, WatchDevice, WatchVariables},
    state::{
        live,
        remote::{Load, Remote},
    },
};

/// Reads a device, and follows it for as long as the page is there.
pub fn watched(id: String) -> Remote<Option<Device>> {
    let remote = Remote::new({
        let id = id.clone();
        move || devices::get(id.clone())
    });
    let wanted = id.clone();
    let follow = move |device: &Device| {
        if device.id.inner() == wanted {
            remote.patch(|known| *known = Some(device.clone()));
        }
    };
    let from_feed = follow.clone();
    live::on_event(move |event| {
        if let Some(device) = event.device() {
            from_feed(device);
        }
    });
    let variables = cynic::Id::new(id);
    live::subscribe(
        move || {
            use cynic::SubscriptionBuilder;
            WatchDevice::build(WatchVariables {
                id: Some(variables.clone()),
            })
        },
        move |answer: WatchDevice| follow(&answer.device_updated),
    );
    remote
}

/// The device, or the last that was there: whatever is drawn from it may assume one. `None` when there never was one.
pub fn kept(remote: Remote<Option<Device>>) -> Option<Signal<Device>> {
    let last = StoredValue::new(None::<Device>);
    let device = Memo::new(move |_| {
        remote.value.with(|value| {
            if let Load::Ready(Some(device)) = value {
                last.set_value(Some(device.clone()));
            }
        });
        last.get_value()
    });
    let first = device.get_untracked()?;
    Some(Signal::derive(move || device.get().unwrap_or_else(|| first.clone())))
}
