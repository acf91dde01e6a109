//! When tokens were used last: kept in memory, and written down together now and then, because every request is a use.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use entity::ApiTokenId;
use sea_orm::DbErr;

use super::queries;
use crate::store::{Reason, Store};

/// A token's last use.
pub type Use = (DateTime<Utc>, Option<IpAddr>);

/// What was not written down yet. Cheap to clone.
#[derive(Clone, Default)]
pub struct LastUses {
    pending: Arc<Mutex<HashMap<ApiTokenId, Use>>>,
}

impl LastUses {
    /// A token was used.
    pub fn note(&self, id: ApiTokenId, at: DateTime<Utc>, address: Option<IpAddr>) {
        self.lock().insert(id, (at, address));
    }

    /// What this node knows beyond the database.
    pub fn of(&self, id: ApiTokenId) -> Option<Use> {
        self.lock().get(&id).copied()
    }

    /// Writes everything down. What fails is tried again with the next call.
    pub async fn flush(&self, store: &Store) -> Result<(), DbErr> {
        let pending: Vec<(ApiTokenId, Use)> = self.lock().iter().map(|(id, last)| (*id, *last)).collect();
        if pending.is_empty() {
            return Ok(());
        }
        let tx = store.system(Reason::Authentication).begin().await?;
        for (id, (at, address)) in &pending {
            queries::set_last_use(&tx, *id, *at, *address).await?;
        }
        tx.commit().await?;
        let mut left = self.lock();
        for (id, written) in pending {
            if left.get(&id) == Some(&written) {
                left.remove(&id);
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ApiTokenId, Use>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
