//! The operator's queries and mutations.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::{PlanId, TenantId, plan, tenant};

use super::{
    Platform,
    plans::PlanChange,
    queries::TenantSearch,
    service::{CreatedTenant, PlanChoice, TenantChange, TenantWish},
    settings_schema::PlatformSettings,
};
use crate::{
    graphql::{
        GqlError, Payload, Refusal, UserError, answer, ids,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    tenants::{
        Tenant, TenantPayload,
        limits::{Limits, Overrides},
        principal,
        tenancy::SettingsChange,
        views::{MeterLimitInput, Plan, TenantStatus},
    },
};

/// The way in to everything that only operators see.
#[derive(Default)]
pub struct PlatformQuery;

#[Object]
impl PlatformQuery {
    /// The whole installation, for those who run it. FORBIDDEN for everybody else.
    async fn platform(&self, ctx: &Context<'_>) -> Result<PlatformView, GqlError> {
        std::future::ready(platform(ctx)).await?;
        Ok(PlatformView)
    }
}

/// The whole installation.
pub struct PlatformView;

/// Which tenants are wanted.
#[derive(Clone, Default, InputObject)]
pub struct TenantFilter {
    /// In the name or the short name, whatever the case.
    text: Option<String>,
    /// In this state.
    status: Option<TenantStatus>,
    /// With this plan.
    plan_id: Option<ID>,
}

#[Object(name = "Platform")]
impl PlatformView {
    /// Tenants, the newest first.
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<TenantFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Tenant>, GqlError> {
        let arguments = PageArguments::new(first, after, last, before);
        list_tenants(ctx, filter.unwrap_or_default(), arguments).await
    }

    /// One tenant. Null when there is none.
    async fn tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Tenant>, GqlError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(platform(ctx)?.tenant(principal(ctx)?, id).await?.map(Tenant::from))
    }

    /// What operators set while the server runs.
    async fn settings(&self, ctx: &Context<'_>) -> Result<PlatformSettings, GqlError> {
        std::future::ready(platform(ctx)?.settings(principal(ctx)?).map(PlatformSettings::from)).await
    }

    /// Every plan, by name.
    async fn plans(&self, ctx: &Context<'_>) -> Result<Vec<Plan>, GqlError> {
        let plans = platform(ctx)?.plans(principal(ctx)?).await?;
        Ok(plans.into_iter().map(Plan::from).collect())
    }
}

async fn list_tenants(
    ctx: &Context<'_>,
    filter: TenantFilter,
    arguments: PageArguments,
) -> Result<CountedConnection<Tenant>, GqlError> {
    let caller = principal(ctx)?;
    let search = TenantSearch {
        text: filter.text,
        status: filter.status.map(Into::into),
        // A garbage id is nobody's plan.
        plan: filter
            .plan_id
            .map(|id| id.parse().unwrap_or(PlanId(sea_orm::prelude::Uuid::nil()))),
    };
    let rows = platform(ctx)?
        .tenants(caller, &search, &arguments.parse::<TenantId>()?)
        .await?;
    let counting = (platform(ctx)?.clone(), caller.clone(), search);
    let total = TotalCount::by(move || {
        let (platform, caller, search) = counting.clone();
        async move { platform.count_tenants(&caller, &search).await }
    });
    Ok(counted(rows, total, |row| (row.id, Tenant::from(row))))
}

/// A new tenant.
#[derive(InputObject)]
pub struct CreateTenantInput {
    /// 1 to 120 characters.
    name: String,
    /// 2 to 60 lower-case letters, digits and single dashes, unique; made of the name when left out.
    slug: Option<String>,
    /// The first owner's address: somebody who has an account, or somebody new.
    owner_email: String,
    /// How a new owner is called; the address when left out.
    owner_name: Option<String>,
    /// What it may use; without one nothing but `limitOverrides` bounds it.
    plan_id: Option<ID>,
    /// What differs from the plan.
    limit_overrides: Option<Vec<MeterLimitInput>>,
    /// ISO 3166-1 alpha-2; ID when left out.
    default_country: Option<String>,
    /// `en` or `id`; `en` when left out.
    default_language: Option<String>,
    /// IANA name; UTC when left out.
    time_zone: Option<String>,
}

/// What changes; what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateTenantInput {
    /// Which tenant.
    id: ID,
    /// 1 to 120 characters.
    name: Option<String>,
    /// 2 to 60 lower-case letters, digits and single dashes, unique.
    slug: Option<String>,
    /// Another plan; null takes the plan away.
    plan_id: MaybeUndefined<ID>,
    /// Replaces what differs from the plan; the empty list removes it all.
    limit_overrides: Option<Vec<MeterLimitInput>>,
    /// ISO 3166-1 alpha-2.
    default_country: Option<String>,
    /// `en` or `id`.
    default_language: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
}

/// Which tenant to suspend.
#[derive(InputObject)]
pub struct SuspendTenantInput {
    /// Which tenant.
    id: ID,
    /// Shown to its members; at most 500 characters.
    reason: Option<String>,
}

/// A tenant that was made.
#[derive(SimpleObject)]
pub struct CreateTenantPayload {
    /// Null when it was refused.
    tenant: Option<Tenant>,
    /// The owner's first password, when the owner had no account: shown this once, kept nowhere.
    owner_password: Option<String>,
    /// INVALID_INPUT, ALREADY_EXISTS (slug) or NOT_FOUND (plan).
    user_errors: Vec<UserError>,
}

impl Payload<CreatedTenant> for CreateTenantPayload {
    fn accepted(created: CreatedTenant) -> Self {
        Self {
            tenant: Some(created.tenant.into()),
            owner_password: created.owner_password.map(|password| password.expose().to_owned()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            tenant: None,
            owner_password: None,
            user_errors,
        }
    }
}

/// A new plan.
#[derive(InputObject)]
pub struct CreatePlanInput {
    /// 1 to 120 characters, unique.
    name: String,
    /// At most 500 characters.
    description: Option<String>,
    /// A meter that is left out has no limit.
    limits: Vec<MeterLimitInput>,
}

/// What changes about a plan; what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdatePlanInput {
    /// Which plan.
    id: ID,
    /// 1 to 120 characters, unique.
    name: Option<String>,
    /// At most 500 characters; the empty text removes it.
    description: Option<String>,
    /// Replaces all its limits.
    limits: Option<Vec<MeterLimitInput>>,
}

/// The plan as it is now.
#[derive(SimpleObject)]
pub struct PlanPayload {
    /// Null when it was refused.
    plan: Option<Plan>,
    /// INVALID_INPUT, ALREADY_EXISTS (name) or NOT_FOUND.
    user_errors: Vec<UserError>,
}

impl Payload<plan::Model> for PlanPayload {
    fn accepted(plan: plan::Model) -> Self {
        Self {
            plan: Some(plan.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            plan: None,
            user_errors,
        }
    }
}

/// The plan that is gone.
#[derive(SimpleObject)]
pub struct DeletePlanPayload {
    /// Null when it was refused.
    deleted_id: Option<ID>,
    /// NOT_FOUND, or CONFLICT while tenants have it.
    user_errors: Vec<UserError>,
}

impl Payload<PlanId> for DeletePlanPayload {
    fn accepted(id: PlanId) -> Self {
        Self {
            deleted_id: Some(ID(id.to_string())),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            deleted_id: None,
            user_errors,
        }
    }
}

/// What only operators may do.
#[derive(Default)]
pub struct PlatformMutation;

#[Object]
impl PlatformMutation {
    /// Makes a tenant with its first owner. Operators only.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        input: CreateTenantInput,
    ) -> Result<CreateTenantPayload, GqlError> {
        answer(create_tenant(ctx, input).await)
    }

    /// Changes a tenant's settings, short name, plan and limits. Operators only.
    async fn update_tenant(&self, ctx: &Context<'_>, input: UpdateTenantInput) -> Result<TenantPayload, GqlError> {
        answer(update_tenant(ctx, input).await)
    }

    /// Stops a tenant from sending and changing anything, within a second on every server. Reading goes on, incoming
    /// messages are stored, queued ones wait. Operators only.
    async fn suspend_tenant(&self, ctx: &Context<'_>, input: SuspendTenantInput) -> Result<TenantPayload, GqlError> {
        answer(suspend_tenant(ctx, input).await)
    }

    /// Lets a suspended tenant act again. Operators only.
    async fn activate_tenant(&self, ctx: &Context<'_>, id: ID) -> Result<TenantPayload, GqlError> {
        answer(activate_tenant(ctx, &id).await)
    }

    /// Makes a plan. Operators only.
    async fn create_plan(&self, ctx: &Context<'_>, input: CreatePlanInput) -> Result<PlanPayload, GqlError> {
        answer(create_plan(ctx, input).await)
    }

    /// Changes a plan, and with it the limits of every tenant that has it, within a second. Operators only.
    async fn update_plan(&self, ctx: &Context<'_>, input: UpdatePlanInput) -> Result<PlanPayload, GqlError> {
        answer(update_plan(ctx, input).await)
    }

    /// Deletes a plan that no tenant has. Operators only.
    async fn delete_plan(&self, ctx: &Context<'_>, id: ID) -> Result<DeletePlanPayload, GqlError> {
        answer(delete_plan(ctx, &id).await)
    }
}

async fn create_tenant(ctx: &Context<'_>, input: CreateTenantInput) -> Result<CreatedTenant, Refusal> {
    let platform = platform(ctx)?;
    let wish = TenantWish {
        settings: SettingsChange {
            name: Some(input.name),
            default_country: input.default_country,
            default_language: input.default_language,
            time_zone: input.time_zone,
        },
        slug: input.slug,
        plan: input.plan_id.map(|id| plan_id(&id)).transpose()?,
        overrides: overrides(input.limit_overrides.unwrap_or_default())?,
        owner_email: input.owner_email,
        owner_name: input.owner_name,
    };
    platform.create_tenant(principal(ctx)?, wish).await
}

async fn update_tenant(ctx: &Context<'_>, input: UpdateTenantInput) -> Result<tenant::Model, Refusal> {
    let platform = platform(ctx)?;
    let change = TenantChange {
        settings: SettingsChange {
            name: input.name,
            default_country: input.default_country,
            default_language: input.default_language,
            time_zone: input.time_zone,
        },
        slug: input.slug,
        plan: match input.plan_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(PlanChoice::Without),
            MaybeUndefined::Value(id) => Some(PlanChoice::With(plan_id(&id)?)),
        },
        overrides: input.limit_overrides.map(overrides).transpose()?,
    };
    let id = ids::parse(&input.id, "tenant", "id")?;
    platform.update_tenant(principal(ctx)?, id, change).await
}

async fn suspend_tenant(ctx: &Context<'_>, input: SuspendTenantInput) -> Result<tenant::Model, Refusal> {
    let platform = platform(ctx)?;
    let id = ids::parse(&input.id, "tenant", "id")?;
    platform
        .suspend_tenant(principal(ctx)?, id, input.reason.as_deref())
        .await
}

async fn activate_tenant(ctx: &Context<'_>, id: &ID) -> Result<tenant::Model, Refusal> {
    let platform = platform(ctx)?;
    let id = ids::parse(id, "tenant", "id")?;
    platform.activate_tenant(principal(ctx)?, id).await
}

async fn create_plan(ctx: &Context<'_>, input: CreatePlanInput) -> Result<plan::Model, Refusal> {
    let platform = platform(ctx)?;
    let wish = PlanChange {
        name: Some(input.name),
        description: input.description,
        limits: Some(limits(input.limits)?),
    };
    platform.create_plan(principal(ctx)?, wish).await
}

async fn update_plan(ctx: &Context<'_>, input: UpdatePlanInput) -> Result<plan::Model, Refusal> {
    let platform = platform(ctx)?;
    let change = PlanChange {
        name: input.name,
        description: input.description,
        limits: input.limits.map(limits).transpose()?,
    };
    let id = ids::parse(&input.id, "plan", "id")?;
    platform.update_plan(principal(ctx)?, id, change).await
}

async fn delete_plan(ctx: &Context<'_>, id: &ID) -> Result<PlanId, Refusal> {
    let platform = platform(ctx)?;
    let id = ids::parse(id, "plan", "id")?;
    platform.delete_plan(principal(ctx)?, id).await
}

fn plan_id(id: &ID) -> Result<PlanId, UserError> {
    ids::parse(id, "plan", "planId")
}

fn limits(inputs: Vec<MeterLimitInput>) -> Result<Limits, UserError> {
    Limits::parse(MeterLimitInput::pairs(inputs), "limits")
}

fn overrides(inputs: Vec<MeterLimitInput>) -> Result<Overrides, UserError> {
    Overrides::parse(MeterLimitInput::pairs(inputs), "limitOverrides")
}

/// The service, for operators. Asked first, so that nobody else learns what else is wrong with a request.
pub(super) fn platform<'a>(ctx: &Context<'a>) -> Result<&'a Platform, GqlError> {
    principal(ctx)?.require_operator()?;
    ctx.data_opt::<Platform>()
        .ok_or_else(|| GqlError::internal("the schema holds no platform"))
}
