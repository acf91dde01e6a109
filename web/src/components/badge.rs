//! Statuses as a dot and a word, and the ticks of a message.

use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::{
    api::{devices::DeviceStatus, messages::MessageStatus},
    words::words,
};

fn device_tone(status: DeviceStatus) -> &'static str {
    match status {
        DeviceStatus::Connected => "good",
        DeviceStatus::Connecting | DeviceStatus::QrReady | DeviceStatus::Pairing => "busy",
        DeviceStatus::Degraded | DeviceStatus::PasskeyRequired | DeviceStatus::Disconnected => "warn",
        DeviceStatus::LoggedOut | DeviceStatus::Banned | DeviceStatus::Failed => "bad",
        DeviceStatus::Created | DeviceStatus::Other => "idle",
    }
}

/// The status of a device.
#[component]
pub fn DeviceBadge(#[prop(into)] status: Signal<DeviceStatus>) -> impl IntoView {
    view! {
        <span
            class=move || format!("badge {}", device_tone(status.get()))
            data-testid="device-status" data-status=move || format!("{:?}", status.get())
        >
            <span class="dot" aria-hidden="true"></span>
            {move || words().device_status(status.get())}
        </span>
    }
}

/// Any other word with a tone.
#[component]
pub fn Badge(#[prop(into)] tone: &'static str, #[prop(into)] label: Signal<String>) -> impl IntoView {
    view! {
        <span class=format!("badge {tone}")>
            <span class="dot" aria-hidden="true"></span>
            {label}
        </span>
    }
}

/// Clock, one tick, two ticks, two blue ticks, or a warning.
#[component]
pub fn Ticks(status: MessageStatus) -> impl IntoView {
    let (symbol, tone) = match status {
        MessageStatus::Scheduled | MessageStatus::Queued | MessageStatus::Sending => (Icon::Clock, "waiting"),
        MessageStatus::Sent => (Icon::Check, "sent"),
        MessageStatus::Delivered => (Icon::CheckDouble, "delivered"),
        MessageStatus::Read | MessageStatus::Played => (Icon::CheckDouble, "read"),
        MessageStatus::Failed | MessageStatus::Expired | MessageStatus::Canceled => (Icon::Warning, "failed"),
        MessageStatus::Received | MessageStatus::Other => return ().into_any(),
    };
    let name = words().message_status(status);
    view! { <span class=format!("ticks {tone}") role="img" aria-label=name title=name>{icon(symbol)}</span> }.into_any()
}
