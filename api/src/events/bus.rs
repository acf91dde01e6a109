//! Tells subscribers in this process that a tenant's log has grown.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use entity::TenantId;
use tokio::sync::watch;

/// The newest event number of each tenant that somebody listens to. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bus {
    tenants: Arc<Mutex<HashMap<TenantId, watch::Sender<i64>>>>,
}

impl Bus {
    /// A tenant's log has reached `sequence`. Costs nothing when nobody listens.
    pub fn announce(&self, tenant_id: TenantId, sequence: i64) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = tenants.get(&tenant_id) {
            if sender.receiver_count() == 0 {
                tenants.remove(&tenant_id);
            } else {
                sender.send_if_modified(|newest| {
                    let grown = sequence > *newest;
                    *newest = sequence.max(*newest);
                    grown
                });
            }
        }
    }

    /// Listens to a tenant's log. The first value may lag behind: read the log after listening, then wait for changes.
    pub fn listen(&self, tenant_id: TenantId) -> watch::Receiver<i64> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants
            .entry(tenant_id)
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }
}
