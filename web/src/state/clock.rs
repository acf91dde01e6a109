//! The moment, as signals that tick.

use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// Milliseconds since 1970, every 15 seconds: enough for “3 minutes ago”.
#[derive(Clone, Copy)]
pub struct Clock(pub RwSignal<f64>);

impl Clock {
    pub fn provide() {
        let now = RwSignal::new(js_sys::Date::now());
        provide_context(Self(now));
        Interval::new(15_000, move || now.set(js_sys::Date::now())).forget();
    }
}

/// A signal that ticks every second while its owner lives: for countdowns.
pub fn every_second() -> RwSignal<f64> {
    let now = RwSignal::new(js_sys::Date::now());
    let interval = Interval::new(1_000, move || {
        // The last tick may come after the page is gone.
        let _ = now.try_set(js_sys::Date::now());
    });
    let kept = StoredValue::new_local(Some(interval));
    on_cleanup(move || drop(kept.try_update_value(Option::take)));
    now
}
