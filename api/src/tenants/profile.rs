//! What a request needs to know about its tenant, asked of the database at most once a second per tenant and node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono_tz::Tz;
use entity::{TenantId, plan, tenant};
use sea_orm::{ColumnTrait, DbErr};

use super::limits::{Limits, Overrides};
use crate::store::{Reason, Store};

/// How long what the database said is believed: a suspension on another node counts after this time.
const BELIEVED: Duration = Duration::from_millis(900);
/// More are not kept.
const MOST_PROFILES: usize = 20_000;

/// A tenant, as far as most requests care.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Whether it may act.
    pub status: tenant::Status,
    /// Where its days begin.
    pub time_zone: Tz,
    /// ISO 3166-1 alpha-2: how local phone numbers are read.
    pub default_country: String,
    /// What it may use.
    pub limits: Limits,
}

impl Profile {
    /// From the rows.
    pub fn of(tenant: &tenant::Model, plan: Option<&plan::Model>) -> Self {
        let of_plan = plan.map(|plan| Limits::read(&plan.limits)).unwrap_or_default();
        Self {
            tenant_id: tenant.id,
            status: tenant.status,
            time_zone: tenant.time_zone.parse().unwrap_or(Tz::UTC),
            default_country: tenant.default_country.clone(),
            limits: of_plan.with(&Overrides::read(&tenant.limit_overrides)),
        }
    }

    /// Whether it may send and change things.
    pub fn is_active(&self) -> bool {
        self.status == tenant::Status::Active
    }
}

/// When each was asked for, and what the answer was.
type Believed = HashMap<TenantId, (Instant, Arc<Profile>)>;

/// The profiles that this node knows. Cheap to clone.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
    believed: Arc<Mutex<Believed>>,
}

impl Profiles {
    /// Asks this database.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            believed: Arc::default(),
        }
    }

    /// A tenant's profile; none when there is no such tenant.
    ///
    /// Ask before a transaction begins: whoever holds one connection and waits for another may wait for ever.
    pub async fn get(&self, id: TenantId) -> Result<Option<Arc<Profile>>, DbErr> {
        let asked = Instant::now();
        if let Some((since, profile)) = self.lock().get(&id)
            && asked.duration_since(*since) < BELIEVED
        {
            return Ok(Some(Arc::clone(profile)));
        }
        let found = self.read(id).await?.map(Arc::new);
        let mut believed = self.lock();
        if believed.len() >= MOST_PROFILES {
            believed.retain(|_, (since, _)| asked.duration_since(*since) < BELIEVED);
        }
        match &found {
            // Believed from the moment it was asked, not answered: the answer may be older than its arrival.
            Some(profile) if believed.len() < MOST_PROFILES => {
                believed.insert(id, (asked, Arc::clone(profile)));
            }
            _ => {
                believed.remove(&id);
            }
        }
        Ok(found)
    }

    /// Whether a tenant's messages may leave.
    pub async fn may_send(&self, id: TenantId) -> Result<bool, DbErr> {
        Ok(self.get(id).await?.is_some_and(|profile| profile.is_active()))
    }

    /// Forgets what is believed, so that a change counts at once on this node.
    pub fn forget(&self) {
        self.lock().clear();
    }

    async fn read(&self, id: TenantId) -> Result<Option<Profile>, DbErr> {
        let system = self.store.system(Reason::TenantProfiles);
        let tenant = system.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id));
        let Some(tenant) = tenant.one().await? else {
            return Ok(None);
        };
        let plan = match tenant.plan_id {
            Some(plan) => {
                let query = system.find::<plan::Entity>().filter(plan::Column::Id.eq(plan));
                query.one().await?
            }
            None => None,
        };
        Ok(Some(Profile::of(&tenant, plan.as_ref())))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Believed> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
