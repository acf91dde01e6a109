//! Plans in GraphQL.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::{PlanId, plan};

use super::{plans::PlanChange, schema::platform};
use crate::{
    graphql::{GqlError, Payload, Refusal, UserError, answer, ids},
    tenants::{
        limits::Limits,
        principal,
        views::{MeterLimitInput, Plan},
    },
};

/// What operators ask about plans.
#[derive(Default)]
pub struct PlanQuery;

#[Object]
impl PlanQuery {
    /// Every plan, by name.
    async fn plans(&self, ctx: &Context<'_>) -> Result<Vec<Plan>, GqlError> {
        let plans = platform(ctx)?.plans(principal(ctx)?).await?;
        Ok(plans.into_iter().map(Plan::from).collect())
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

/// What operators do with plans.
#[derive(Default)]
pub struct PlanMutation;

#[Object]
impl PlanMutation {
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

fn limits(inputs: Vec<MeterLimitInput>) -> Result<Limits, UserError> {
    Limits::parse(MeterLimitInput::pairs(inputs), "limits")
}
