//! Plans, for those who run the platform.

use cynic::{Id, MutationBuilder, QueryBuilder};

use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    tenancy::Meter,
    values::{BigInt, UserError},
};

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Plan {
    pub id: Id,
    pub name: String,
    pub description: Option<String>,
    pub limits: Vec<MeterLimit>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct MeterLimit {
    pub meter: Meter,
    pub limit: Option<BigInt>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq)]
pub struct MeterLimitInput {
    pub meter: Meter,
    pub limit: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct PlansQuery {
    platform: PlansOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform")]
struct PlansOfPlatform {
    plans: Vec<Plan>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct CreatePlanInput {
    pub name: String,
    pub description: Option<String>,
    pub limits: Vec<MeterLimitInput>,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreatePlanVariables {
    input: CreatePlanInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreatePlanVariables")]
struct CreatePlan {
    #[arguments(input: $input)]
    create_plan: PlanPayload,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdatePlanInput {
    pub id: Id,
    pub name: Option<String>,
    pub description: Option<String>,
    pub limits: Option<Vec<MeterLimitInput>>,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdatePlanVariables {
    input: UpdatePlanInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdatePlanVariables")]
struct UpdatePlan {
    #[arguments(input: $input)]
    update_plan: PlanPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct PlanPayload {
    plan: Option<Plan>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct DeletePlan {
    #[arguments(id: $id)]
    delete_plan: DeletePlanPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct DeletePlanPayload {
    deleted_id: Option<Id>,
    user_errors: Vec<UserError>,
}

pub async fn list() -> Result<Vec<Plan>, ApiError> {
    Ok(client::run(PlansQuery::build(())).await?.platform.plans)
}

pub async fn create(input: CreatePlanInput) -> Result<Plan, ApiError> {
    let payload = client::run(CreatePlan::build(CreatePlanVariables { input }))
        .await?
        .create_plan;
    accept(payload.plan, payload.user_errors)
}

pub async fn update(input: UpdatePlanInput) -> Result<Plan, ApiError> {
    let payload = client::run(UpdatePlan::build(UpdatePlanVariables { input }))
        .await?
        .update_plan;
    accept(payload.plan, payload.user_errors)
}

pub async fn delete(id: Id) -> Result<Id, ApiError> {
    let payload = client::run(DeletePlan::build(ById { id })).await?.delete_plan;
    accept(payload.deleted_id, payload.user_errors)
}
