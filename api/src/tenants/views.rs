//! Plans, limits and status of tenants in GraphQL.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, dataloader::DataLoader};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::{TenantId, plan, tenant};

use super::{
    figures::{Figures, LimitsOf},
    limits::{LimitHolder, Limits, Meter},
    permission::Permission,
    principal::principal,
    schema::Tenant,
    tenancy::Tenancy,
    usage::{self, Granularity, UsageKey, UsagePoint},
    used::Usage,
};
use crate::{
    graphql::{GqlError, TimeRange, scalars::BigInt},
    store::ScopeOrigin,
};

/// Whether a tenant may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "tenant::Status")]
pub enum TenantStatus {
    /// Everything works.
    Active,
    /// Reads work. Sending and changing are refused with TENANT_SUSPENDED, and queued messages wait.
    Suspended,
    /// It is being deleted: nothing works any more.
    Deleting,
}

/// A limit, and how much of it is used.
#[derive(Clone, Debug, SimpleObject)]
pub struct Limit {
    /// What is counted.
    meter: Meter,
    /// Whom it binds: the tenant, or in `viewer.limits` the API token that asks.
    holder: LimitHolder,
    /// How much is allowed. Null: as much as one likes.
    #[graphql(name = "limit")]
    allowed: Option<BigInt>,
    /// How much is used in the current window, or exists now.
    used: BigInt,
    /// When it begins anew; null for what counts what exists. Days and months begin in the tenant's time zone.
    resets_at: Option<DateTime<Utc>>,
}

impl From<Usage> for Limit {
    fn from(usage: Usage) -> Self {
        Self {
            meter: usage.meter,
            holder: usage.holder,
            allowed: usage.limit.map(BigInt),
            used: BigInt(usage.used),
            resets_at: usage.resets_at,
        }
    }
}

/// What tenants of a kind may use.
#[derive(Clone, Debug, SimpleObject)]
pub struct Plan {
    /// Opaque id, `pln_…`.
    pub id: ID,
    /// Unique over the platform.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its limits. A meter that is not here has none.
    pub limits: Vec<MeterLimit>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A meter with its limit.
#[derive(Clone, Debug, SimpleObject)]
pub struct MeterLimit {
    /// What is counted.
    pub meter: Meter,
    /// How much is allowed; null lifts the limit of the plan.
    pub limit: Option<BigInt>,
}

impl MeterLimit {
    /// Limits as the API shows them.
    pub fn list(limits: &Limits) -> Vec<Self> {
        let one = |(meter, limit)| Self {
            meter,
            limit: Some(BigInt(limit)),
        };
        limits.iter().map(one).collect()
    }
}

/// A limit for a meter.
#[derive(Clone, Debug, InputObject)]
pub struct MeterLimitInput {
    /// What is counted. Each meter at most once.
    pub meter: Meter,
    /// From 0 to 2⁵³. Null or left out: no limit.
    pub limit: Option<BigInt>,
}

impl MeterLimitInput {
    /// The pairs that limits are parsed from.
    pub fn pairs(inputs: Vec<Self>) -> impl Iterator<Item = (Meter, Option<i64>)> {
        inputs
            .into_iter()
            .map(|input| (input.meter, input.limit.map(|limit| limit.0)))
    }
}

impl From<plan::Model> for Plan {
    fn from(row: plan::Model) -> Self {
        let limits = Limits::read(&row.limits);
        Self {
            id: ID(row.id.to_string()),
            name: row.name,
            description: row.description,
            limits: MeterLimit::list(&limits),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[ComplexObject]
impl Tenant {
    /// What it may use; null when nothing but its own limits bounds it.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<Plan>, GqlError> {
        let Some(id) = self.plan_id else { return Ok(None) };
        let found = figures(ctx)?.load_one(id).await.map_err(GqlError::internal)?;
        Ok(found.map(Plan::from))
    }

    /// Where its limits differ from its plan's: another limit for a meter, or null for none. A meter that is not here has
    /// the plan's limit; `limits` has what comes of both. Changed by `updateTenant`. For operators, and within the tenant
    /// for those who may change its settings (OWNER, ADMIN); FORBIDDEN for everybody else.
    #[expect(clippy::unused_async, reason = "resolvers are asynchronous")]
    async fn limit_overrides(&self, ctx: &Context<'_>) -> Result<Vec<MeterLimit>, GqlError> {
        principal(ctx)?.look_into_terms(self.key)?;
        let overrides = self.overrides.iter().map(|(meter, limit)| MeterLimit {
            meter,
            limit: limit.map(BigInt),
        });
        Ok(overrides.collect())
    }

    /// Every meter with its limit and how much of it is used. FORBIDDEN for a tenant that one does not act in.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Vec<Limit>, GqlError> {
        principal(ctx)?.look_into(self.key)?;
        let found = figures(ctx)?.load_one(LimitsOf(self.key)).await;
        let usage = found.map_err(GqlError::internal)?.unwrap_or_default();
        Ok(usage.into_iter().map(Limit::from).collect())
    }

    /// What it has used over time, by days, weeks or months of its calendar; at most 400 points, the last 30 days when
    /// `range` is empty. FORBIDDEN for a tenant that one does not act in.
    async fn usage(
        &self,
        ctx: &Context<'_>,
        range: TimeRange,
        granularity: Granularity,
    ) -> Result<Vec<UsagePoint>, GqlError> {
        principal(ctx)?.look_into(self.key)?;
        let calendar = (self.time_zone.parse().unwrap_or_default(), self.created_at);
        usage_of(ctx, self.key, calendar, range, granularity).await
    }
}

async fn usage_of(
    ctx: &Context<'_>,
    tenant: TenantId,
    (zone, created_at): (Tz, DateTime<Utc>),
    range: TimeRange,
    granularity: Granularity,
) -> Result<Vec<UsagePoint>, GqlError> {
    let periods = usage::periods(range, granularity, zone, tenancy(ctx)?.clock().now())?;
    let found = figures(ctx)?.load_one(UsageKey::of(tenant, &periods)).await;
    let days = found.map_err(GqlError::internal)?.unwrap_or_default();
    Ok(days.points(&periods, zone, created_at))
}

/// What tenants ask about their use.
#[derive(Default)]
pub struct UsageQuery;

#[Object]
impl UsageQuery {
    /// What the tenant has used over time, by days, weeks or months of its calendar; at most 400 points, the last 30 days
    /// when `range` is empty. Needs the right to read statistics. Operators read it of any tenant: `Tenant.usage`.
    async fn usage(
        &self,
        ctx: &Context<'_>,
        range: TimeRange,
        granularity: Granularity,
    ) -> Result<Vec<UsagePoint>, GqlError> {
        let caller = principal(ctx)?;
        caller.require(Permission::ReadAnalytics)?;
        caller.require_every_device()?;
        let profile = caller.profile();
        let calendar = (profile.time_zone, profile.created_at);
        usage_of(ctx, caller.tenant_id(), calendar, range, granularity).await
    }
}

/// What loads figures of tenants in this request.
fn figures<'a>(ctx: &Context<'a>) -> Result<&'a DataLoader<Figures>, GqlError> {
    ctx.data_opt::<DataLoader<Figures>>()
        .ok_or_else(|| GqlError::internal("the request has no loader of figures"))
}

/// The service behind these fields.
pub fn tenancy<'a>(ctx: &Context<'a>) -> Result<&'a Tenancy, GqlError> {
    ctx.data_opt::<Tenancy>()
        .ok_or_else(|| GqlError::internal("the schema holds no tenancy"))
}
