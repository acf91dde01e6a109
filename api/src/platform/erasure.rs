//! Deleting what a tenant owned: in the background, in small transactions, over restarts.
//!
//! That a tenant is being deleted stands in its row, and nowhere else: whatever was done when the server stopped is done,
//! and the rest is found again. Every node stops the devices that it holds; rows go after the last device has stopped.
//! Two nodes at work on one tenant take turns, since what one has deleted the other does not find.
//!
//! **Invariant:** the row of the tenant goes last, and the audit entry that it is gone commits with it, once.

use std::{sync::Arc, time::Duration};

use entity::{TenantId, tables::tenant_tables};
use sea_orm::DbErr;
use serde_json::json;
use tokio::sync::Notify;

use super::queries;
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::Clock,
    devices::Devices,
    store::{Reason, ScopeOrigin, Store, SystemScope},
    tenants::Profiles,
};

/// How many rows go in one transaction.
const BATCH: u64 = 500;
/// How often it is looked for tenants to delete, beside when somebody asks for it.
const PAUSE: Duration = Duration::from_secs(5);

/// A tenant that is being deleted.
#[derive(Clone, Copy, Debug)]
pub struct Doomed(TenantId);

impl ScopeOrigin for Doomed {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
}

/// What deletes tenants. Cheap to clone.
#[derive(Clone)]
pub struct Erasure {
    store: Store,
    clock: Clock,
    devices: Devices,
    profiles: Profiles,
    wanted: Arc<Notify>,
}

impl Erasure {
    /// Brings the parts together; `wanted` tells when there is something to do.
    pub fn new(store: Store, clock: Clock, devices: Devices, profiles: Profiles, wanted: Arc<Notify>) -> Self {
        Self {
            store,
            clock,
            devices,
            profiles,
            wanted,
        }
    }

    /// Goes on for ever. It can be dropped at any moment.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "a tenant could not be deleted; it is tried again");
            }
            // Told or not: another node may have been asked.
            let _ = tokio::time::timeout(PAUSE, self.wanted.notified()).await;
        }
    }

    /// Does what can be done now for every tenant that is being deleted.
    async fn sweep(&self) -> Result<(), DbErr> {
        for id in queries::list_deleting(&self.system()).await? {
            if self.erase(Doomed(id)).await? {
                tracing::info!(tenant = %id, "a tenant was deleted");
            }
        }
        Ok(())
    }

    /// Deletes what there is of a tenant; answers whether nothing is left by this node's doing.
    async fn erase(&self, doomed: Doomed) -> Result<bool, DbErr> {
        let id = doomed.0;
        let tx = self.system().begin().await?;
        queries::leave_tenant(&tx, id).await?;
        tx.commit().await?;
        if !self.devices.remove_all(&doomed).await? {
            // Another node holds some. It stops them itself, or its leases run out.
            return Ok(false);
        }
        for table in tenant_tables() {
            loop {
                let tx = self.system().begin().await?;
                let deleted = tx.delete_some(&table, id, BATCH).await?;
                tx.commit().await?;
                if deleted < BATCH {
                    break;
                }
                // Others write between two batches.
                tokio::task::yield_now().await;
            }
        }
        let tx = self.system().begin().await?;
        let Some(tenant) = queries::delete_tenant(&tx, id).await? else {
            return Ok(false);
        };
        let told = Entry::of(Action::TenantDeleted, &id)
            .named(&tenant.name)
            .with(json!({ "slug": tenant.slug }));
        audit::record_beyond(&tx, None, self.clock.now(), &Actor::system(), told).await?;
        tx.commit().await?;
        self.profiles.forget();
        Ok(true)
    }

    fn system(&self) -> SystemScope {
        self.store.system(Reason::Deletion)
    }
}
