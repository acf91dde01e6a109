//! What a request needs to know about its tenant, asked of the database at most once a second per tenant and node.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::{TenantId, plan, tenant};
use sea_orm::{ColumnTrait, DbErr};

use super::{
    believed::Believed,
    limits::{Limits, Overrides},
};
use crate::store::{Reason, Store};

/// How long what the database said is believed: a suspension on another node counts after this time, which leaves some of
/// the second that is promised to a busy machine.
const BELIEVED: Duration = Duration::from_millis(700);

/// A tenant, as far as most requests care.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Whether it may act.
    pub status: tenant::Status,
    /// Since when there is such a tenant.
    pub created_at: DateTime<Utc>,
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
            created_at: tenant.created_at,
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

/// The profiles that this node knows. Cheap to clone.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
    believed: Arc<Believed<TenantId, Arc<Profile>>>,
}

impl Profiles {
    /// Asks this database.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            believed: Arc::new(Believed::new(BELIEVED)),
        }
    }

    /// A tenant's profile; none when there is no such tenant.
    ///
    /// Ask before a transaction begins: whoever holds one connection and waits for another may wait for ever.
    pub async fn get(&self, id: TenantId) -> Result<Option<Arc<Profile>>, DbErr> {
        let ask = async { Ok(self.read(id).await?.map(Arc::new)) };
        self.believed.get(&id, ask).await
    }

    /// Whether a tenant's messages may leave.
    pub async fn may_send(&self, id: TenantId) -> Result<bool, DbErr> {
        Ok(self.get(id).await?.is_some_and(|profile| profile.is_active()))
    }

    /// Forgets what is believed, so that a change counts at once on this node.
    pub fn forget(&self) {
        self.believed.forget(|_, _| true);
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
}
