//! Tenants as operators see and change them, in GraphQL.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::{PlanId, TenantId, tenant};

use super::{
    queries::TenantSearch,
    schema::platform,
    service::{CreatedTenant, PlanChoice, TenantChange, TenantWish},
};
use crate::{
    graphql::{
        GqlError, Payload, Refusal, UserError, answer, ids,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    tenants::{
        Tenant, TenantPayload,
        limits::Overrides,
        principal,
        tenancy::SettingsChange,
        views::{MeterLimitInput, TenantStatus},
    },
};

/// What operators ask about tenants.
#[derive(Default)]
pub struct PlatformTenantQuery;

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

#[Object]
impl PlatformTenantQuery {
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
        plan: filter.plan_id.as_ref().map(ids::narrow::<PlanId>),
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

/// Which tenant to delete.
#[derive(InputObject)]
pub struct DeleteTenantInput {
    /// Which tenant.
    id: ID,
    /// The tenant's short name (`slug`), written by whoever means it.
    confirm: String,
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

/// What operators do with tenants.
#[derive(Default)]
pub struct PlatformTenantMutation;

#[Object]
impl PlatformTenantMutation {
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

    /// Deletes a tenant with everything it owns. Its people and programs are out at once, its devices are unlinked at
    /// WhatsApp, then rows go in the background, over restarts; the tenant is DELETING until nothing is left. It cannot be
    /// undone. People keep their accounts, and the platform's audit log tells of it. Operators only.
    async fn delete_tenant(&self, ctx: &Context<'_>, input: DeleteTenantInput) -> Result<TenantPayload, GqlError> {
        answer(delete_tenant(ctx, input).await)
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

async fn delete_tenant(ctx: &Context<'_>, input: DeleteTenantInput) -> Result<tenant::Model, Refusal> {
    let platform = platform(ctx)?;
    let id = ids::parse(&input.id, "tenant", "id")?;
    platform.delete_tenant(principal(ctx)?, id, &input.confirm).await
}

fn plan_id(id: &ID) -> Result<PlanId, UserError> {
    ids::parse(id, "plan", "planId")
}

fn overrides(inputs: Vec<MeterLimitInput>) -> Result<Overrides, UserError> {
    Overrides::parse(MeterLimitInput::pairs(inputs), "limitOverrides")
}
