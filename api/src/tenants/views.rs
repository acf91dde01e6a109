//! Plans, limits and status of tenants in GraphQL.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{plan, tenant};

use super::{
    limits::{Limits, Meter},
    principal::principal,
    quota::Usage,
    schema::Tenant,
    tenancy::Tenancy,
};
use crate::graphql::{GqlError, scalars::BigInt};

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
            limits: limits
                .iter()
                .map(|(meter, limit)| MeterLimit {
                    meter,
                    limit: Some(BigInt(limit)),
                })
                .collect(),
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
        Ok(tenancy(ctx)?.plan(id).await?.map(Plan::from))
    }

    /// Every meter with its limit and how much of it is used. FORBIDDEN for a tenant that one does not act in.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Vec<Limit>, GqlError> {
        let origin = principal(ctx)?.look_into(self.key)?;
        let usage = tenancy(ctx)?.usage(&origin).await?;
        Ok(usage.into_iter().map(Limit::from).collect())
    }
}

/// The service behind these fields.
pub fn tenancy<'a>(ctx: &Context<'a>) -> Result<&'a Tenancy, GqlError> {
    ctx.data_opt::<Tenancy>()
        .ok_or_else(|| GqlError::internal("the schema holds no tenancy"))
}
