//! The tenant's figures, loaded once for the whole console and kept fresh by its events.

use leptos::prelude::*;

use super::{
    live,
    remote::{Load, Remote},
    soon::Soon,
};
use crate::api::{
    overview::{self, Overview, Standing},
    tenancy::TenantStatus,
};

/// Events come in bursts; the figures follow at most this often.
const PAUSE_MS: u32 = 800;

#[derive(Clone, Copy)]
pub struct Totals(pub Remote<(Overview, Standing)>);

impl Totals {
    pub fn provide() {
        let remote = Remote::new(overview::get);
        let soon = Soon::new(PAUSE_MS, move || remote.refresh());
        live::on_event(move |_| soon.call());
        provide_context(Self(remote));
    }

    pub fn unread(self) -> Signal<i32> {
        self.read(|overview| overview.unread_chats)
    }

    pub fn attention(self) -> Signal<i32> {
        self.read(|overview| overview.devices.attention)
    }

    /// That the tenant is suspended, and why.
    pub fn suspension(self) -> Memo<Option<Standing>> {
        Memo::new(move |_| {
            let (_, standing) = self.0.ready()?;
            (standing.status == TenantStatus::Suspended).then_some(standing)
        })
    }

    pub fn read(self, read: fn(&Overview) -> i32) -> Signal<i32> {
        Signal::derive(move || {
            self.0.value.with(|value| match value {
                Load::Ready((overview, _)) => read(overview),
                Load::Loading | Load::Failed(_) => 0,
            })
        })
    }
}

pub fn use_totals() -> Totals {
    expect_context()
}
