//! Tenants, for those who run the platform.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::plans::{MeterLimit, MeterLimitInput};
use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    tenancy::{Limit, PlanName, TenantStatus},
    values::{At, Forward, UserError},
};

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Tenant")]
pub struct PlatformTenant {
    pub id: Id,
    pub name: String,
    pub slug: String,
    pub status: TenantStatus,
    pub suspension_reason: Option<String>,
    pub suspended_at: Option<At>,
    pub default_country: String,
    pub default_language: String,
    pub time_zone: String,
    pub plan: Option<PlanName>,
    pub created_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "TenantConnection")]
pub struct TenantPage {
    pub nodes: Vec<PlatformTenant>,
    pub page_info: Forward,
    pub total_count: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
struct TenantQuery {
    platform: TenantOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform", variables = "ById")]
struct TenantOfPlatform {
    #[arguments(id: $id)]
    tenant: Option<TenantDetail>,
}

/// A tenant with what it uses.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Tenant")]
pub struct TenantDetail {
    #[cynic(spread)]
    pub tenant: PlatformTenant,
    pub limits: Vec<Limit>,
    /// Where they differ from the plan's.
    pub limit_overrides: Vec<MeterLimit>,
}

#[derive(cynic::InputObject, Clone, Debug, Default, PartialEq)]
pub struct TenantFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub status: Option<TenantStatus>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Id>,
}

#[derive(cynic::QueryVariables, Debug)]
struct TenantsVariables {
    filter: TenantFilter,
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "TenantsVariables")]
struct TenantsQuery {
    platform: TenantsOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform", variables = "TenantsVariables")]
struct TenantsOfPlatform {
    #[arguments(where: $filter, first: $first, after: $after)]
    tenants: TenantPage,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct CreateTenantInput {
    pub name: String,
    pub owner_email: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreateTenantVariables {
    input: CreateTenantInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateTenantVariables")]
struct CreateTenant {
    #[arguments(input: $input)]
    create_tenant: CreateTenantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct CreateTenantPayload {
    tenant: Option<PlatformTenant>,
    owner_password: Option<String>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdateTenantInput {
    pub id: Id,
    pub name: Option<String>,
    pub slug: Option<String>,
    /// Null takes the plan away.
    pub plan_id: Option<Id>,
    pub default_country: Option<String>,
    pub default_language: Option<String>,
    pub time_zone: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdateTenantVariables {
    input: UpdateTenantInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateTenantVariables")]
struct UpdateTenant {
    #[arguments(input: $input)]
    update_tenant: TenantPayload,
}

/// Only what differs from the plan; everything else stays as it is.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(graphql_type = "UpdateTenantInput")]
struct OverridesInput {
    id: Id,
    limit_overrides: Vec<MeterLimitInput>,
}

#[derive(cynic::QueryVariables, Debug)]
struct OverridesVariables {
    input: OverridesInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "OverridesVariables")]
struct UpdateOverrides {
    #[arguments(input: $input)]
    update_tenant: TenantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct TenantPayload {
    tenant: Option<PlatformTenant>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct SuspendTenantInput {
    pub id: Id,
    pub reason: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SuspendVariables {
    input: SuspendTenantInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SuspendVariables")]
struct SuspendTenant {
    #[arguments(input: $input)]
    suspend_tenant: TenantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct ActivateTenant {
    #[arguments(id: $id)]
    activate_tenant: TenantPayload,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct DeleteTenantInput {
    id: Id,
    confirm: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct DeleteVariables {
    input: DeleteTenantInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteVariables")]
struct DeleteTenant {
    #[arguments(input: $input)]
    delete_tenant: TenantPayload,
}

/// One tenant; nothing when there is none.
pub async fn get(id: Id) -> Result<Option<TenantDetail>, ApiError> {
    Ok(client::run(TenantQuery::build(ById { id })).await?.platform.tenant)
}

pub async fn list(filter: TenantFilter, first: i32, after: Option<String>) -> Result<TenantPage, ApiError> {
    let variables = TenantsVariables { filter, first, after };
    Ok(client::run(TenantsQuery::build(variables)).await?.platform.tenants)
}

/// The tenant, and the owner's first password when the owner is new.
pub async fn create(input: CreateTenantInput) -> Result<(PlatformTenant, Option<String>), ApiError> {
    let payload = client::run(CreateTenant::build(CreateTenantVariables { input }))
        .await?
        .create_tenant;
    let tenant = accept(payload.tenant, payload.user_errors)?;
    Ok((tenant, payload.owner_password))
}

pub async fn update(input: UpdateTenantInput) -> Result<PlatformTenant, ApiError> {
    let payload = client::run(UpdateTenant::build(UpdateTenantVariables { input }))
        .await?
        .update_tenant;
    accept(payload.tenant, payload.user_errors)
}

/// Replaces what differs from the plan.
pub async fn set_overrides(id: Id, limit_overrides: Vec<MeterLimitInput>) -> Result<PlatformTenant, ApiError> {
    let input = OverridesInput { id, limit_overrides };
    let payload = client::run(UpdateOverrides::build(OverridesVariables { input }))
        .await?
        .update_tenant;
    accept(payload.tenant, payload.user_errors)
}

pub async fn suspend(id: Id, reason: Option<String>) -> Result<PlatformTenant, ApiError> {
    let input = SuspendTenantInput { id, reason };
    let payload = client::run(SuspendTenant::build(SuspendVariables { input }))
        .await?
        .suspend_tenant;
    accept(payload.tenant, payload.user_errors)
}

pub async fn activate(id: Id) -> Result<PlatformTenant, ApiError> {
    let payload = client::run(ActivateTenant::build(ById { id })).await?.activate_tenant;
    accept(payload.tenant, payload.user_errors)
}

/// Deletes a tenant with all it owns; `confirm` is its short name.
pub async fn delete(id: Id, confirm: String) -> Result<PlatformTenant, ApiError> {
    let input = DeleteTenantInput { id, confirm };
    let payload = client::run(DeleteTenant::build(DeleteVariables { input }))
        .await?
        .delete_tenant;
    accept(payload.tenant, payload.user_errors)
}
