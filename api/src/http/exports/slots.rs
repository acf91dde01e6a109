//! How many exports run at once: each reads all that somebody has, so a few callers could take a server's whole disk.
//!
//! **Invariant:** a slot is held by what makes the file, until that has ended: a client that takes nothing for a while
//! loses its file, and with it the slot.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use entity::TenantId;

use super::refuse;
use crate::config;

/// When whoever found no slot may try again: a small export is over by then.
const RETRY_AFTER_SECONDS: u64 = 10;

/// The places of this server. Cheap to clone.
#[derive(Clone)]
pub struct ExportSlots {
    limits: config::Exports,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    of_tenant: HashMap<TenantId, usize>,
}

/// A place, free again when it is dropped.
pub struct ExportSlot {
    slots: ExportSlots,
    tenant: TenantId,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The tenant has as many as one may have.
    Tenant,
    /// The server makes as many as it may.
    Server,
}

impl ExportSlots {
    /// As many as configured.
    pub fn new(limits: config::Exports) -> Self {
        Self {
            limits,
            taken: Arc::default(),
        }
    }

    /// A place for an export of this tenant's callers.
    pub fn take(&self, tenant: TenantId) -> Result<ExportSlot, Full> {
        let mut taken = self.lock();
        let own = taken.of_tenant.get(&tenant).copied().unwrap_or(0);
        if own >= self.limits.at_once_per_tenant {
            return Err(Full::Tenant);
        }
        if taken.all >= self.limits.at_once {
            return Err(Full::Server);
        }
        taken.all += 1;
        taken.of_tenant.insert(tenant, own + 1);
        Ok(ExportSlot {
            slots: self.clone(),
            tenant,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ExportSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(own) = taken.of_tenant.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                taken.of_tenant.remove(&self.tenant);
            }
        }
    }
}

impl Full {
    /// The answer to whoever came too soon.
    pub fn answer(self) -> Response {
        let (status, message, result) = match self {
            Self::Tenant => (
                StatusCode::TOO_MANY_REQUESTS,
                "Other exports of this tenant are still running. Try again when one has ended.\n",
                "tenant_full",
            ),
            Self::Server => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The server makes as many exports as it may. Try again in a moment.\n",
                "server_full",
            ),
        };
        metrics::counter!("kabar_exports_refused_total", "result" => result).increment(1);
        let mut response = refuse(status, message);
        let seconds = HeaderValue::from(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        response
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::prelude::Uuid;

    use super::*;

    #[test]
    fn places_are_counted_per_tenant_and_in_all_and_come_back() {
        let slots = ExportSlots::new(config::Exports {
            at_once: 3,
            at_once_per_tenant: 2,
        });
        let (one, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        let first = slots.take(one);
        let _second = slots.take(one);
        assert_eq!(slots.take(one).err(), Some(Full::Tenant));
        let _third = slots.take(other);
        assert_eq!(slots.take(other).err(), Some(Full::Server));
        drop(first);
        let _fourth = slots.take(other);
        assert_eq!(slots.take(other).err(), Some(Full::Tenant));
        assert_eq!(slots.take(one).err(), Some(Full::Server));
    }
}
