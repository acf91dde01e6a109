//! Figures of many tenants at once, so that a list of tenants costs as many statements as one tenant.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::{DataLoader, Loader};
use entity::{PlanId, TenantId, device, membership, plan, quota_usage, tenant};
use sea_orm::{
    ColumnTrait, Condition, DbErr,
    sea_query::{Expr, Func},
};

use super::{
    profile::Profile,
    quota::Quota,
    tenancy::Tenancy,
    usage::{self, DayBook, UsageKey},
    used::{Standing, Usage},
};
use crate::store::SystemScope;

/// Reads figures of tenants. Whether the caller may see them is decided before: `Principal::look_into`.
pub struct Figures(Tenancy);

/// A loader for one request.
pub fn loader(tenancy: Tenancy) -> DataLoader<Figures> {
    DataLoader::new(Figures(tenancy), tokio::spawn)
}

/// The key of a tenant's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitsOf(pub TenantId);

type Failure = Arc<DbErr>;

impl Loader<PlanId> for Figures {
    type Value = plan::Model;
    type Error = Failure;

    async fn load(&self, ids: &[PlanId]) -> Result<HashMap<PlanId, plan::Model>, Failure> {
        Ok(plans(&self.0.system(), ids.to_vec()).await?)
    }
}

impl Loader<LimitsOf> for Figures {
    type Value = Vec<Usage>;
    type Error = Failure;

    async fn load(&self, keys: &[LimitsOf]) -> Result<HashMap<LimitsOf, Vec<Usage>>, Failure> {
        use quota_usage::Column;
        let system = self.0.system();
        let ids: Vec<TenantId> = keys.iter().map(|key| key.0).collect();
        let query = system.find::<tenant::Entity>();
        let rows = query.among(tenant::Column::Id, ids.clone()).all().await?;
        let plan_ids = rows.iter().filter_map(|row| row.plan_id).collect();
        let plans = plans(&system, plan_ids).await?;
        let quotas: Vec<(TenantId, Quota)> = rows
            .iter()
            .map(|row| {
                let plan = row.plan_id.and_then(|id| plans.get(&id));
                (row.id, self.0.quota(Arc::new(Profile::of(row, plan))))
            })
            .collect();
        let windows = quotas.iter().fold(Condition::any(), |any, (id, quota)| {
            any.add(Condition::all().add(Column::TenantId.eq(*id)).add(quota.running()))
        });
        let used = if quotas.is_empty() {
            Vec::new()
        } else {
            system.find::<quota_usage::Entity>().filter(windows).all().await?
        };
        let standing = standing(&system, &ids).await?;
        let usages = quotas.into_iter().map(|(id, quota)| {
            let own: Vec<quota_usage::Model> = used.iter().filter(|row| row.tenant_id == id).cloned().collect();
            let mut usages = quota.usages(&own, standing.get(&id).copied().unwrap_or_default());
            self.0.add_api_cost(id, &mut usages);
            (LimitsOf(id), usages)
        });
        Ok(usages.collect())
    }
}

impl Loader<UsageKey> for Figures {
    type Value = DayBook;
    type Error = Failure;

    async fn load(&self, keys: &[UsageKey]) -> Result<HashMap<UsageKey, DayBook>, Failure> {
        let system = self.0.system();
        let ids: Vec<TenantId> = keys.iter().map(|key| key.tenant).collect();
        let standing = standing(&system, &ids).await?;
        Ok(usage::read(&system, keys, &standing).await?)
    }
}

async fn plans(system: &SystemScope, ids: Vec<PlanId>) -> Result<HashMap<PlanId, plan::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = system.find::<plan::Entity>();
    let rows = query.among(plan::Column::Id, ids).all().await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// How many devices and members tenants have.
async fn standing(system: &SystemScope, ids: &[TenantId]) -> Result<HashMap<TenantId, Standing>, DbErr> {
    let mut found: HashMap<TenantId, Standing> = HashMap::new();
    let key = Expr::col(device::Column::TenantId);
    let devices: Vec<(TenantId, i64)> = system
        .find::<device::Entity>()
        .among(device::Column::TenantId, ids.iter().copied())
        .group_by([key.clone()])
        .tuples([key, Func::count(Expr::col(device::Column::Id)).into()])
        .await?;
    for (id, count) in devices {
        found.entry(id).or_default().devices = count;
    }
    let key = Expr::col(membership::Column::TenantId);
    let members: Vec<(TenantId, i64)> = system
        .find::<membership::Entity>()
        .among(membership::Column::TenantId, ids.iter().copied())
        .group_by([key.clone()])
        .tuples([key, Func::count(Expr::col(membership::Column::Id)).into()])
        .await?;
    for (id, count) in members {
        found.entry(id).or_default().members = count;
    }
    Ok(found)
}
