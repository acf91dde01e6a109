//! How an operator is let into a tenant for a while.

use cynic::{Id, MutationBuilder, QueryBuilder};

use crate::api::{
    account::Role,
    client,
    error::{ApiError, accept},
    schema,
    values::{At, UserError},
};

/// A tenant's grants that are shown, the newest first.
const MOST: i32 = 20;

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct AccessGrant {
    pub id: Id,
    pub operator_id: Id,
    pub operator_email: String,
    pub role: Role,
    pub reason: String,
    pub created_at: At,
    pub expires_at: At,
    pub ended_at: Option<At>,
}

impl AccessGrant {
    /// Whether it lets its operator in now.
    pub fn is_open(&self) -> bool {
        self.ended_at.is_none() && self.expires_at.in_ms() > 0.0
    }
}

#[derive(cynic::InputObject, Clone, Debug)]
struct AccessGrantFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<Id>,
}

#[derive(cynic::QueryVariables, Debug)]
struct GrantsVariables {
    filter: AccessGrantFilter,
    first: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "GrantsVariables")]
struct GrantsQuery {
    platform: GrantsOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform", variables = "GrantsVariables")]
struct GrantsOfPlatform {
    #[arguments(where: $filter, first: $first)]
    access_grants: AccessGrantConnection,
}

#[derive(cynic::QueryFragment, Debug)]
struct AccessGrantConnection {
    nodes: Vec<AccessGrant>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct GrantTenantAccessInput {
    pub tenant_id: Id,
    pub reason: String,
    pub role: Role,
    pub minutes: Option<i32>,
}

#[derive(cynic::QueryVariables, Debug)]
struct GrantVariables {
    input: GrantTenantAccessInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "GrantVariables")]
struct GrantTenantAccess {
    #[arguments(input: $input)]
    grant_tenant_access: AccessGrantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RevokeTenantAccess {
    #[arguments(id: $id)]
    revoke_tenant_access: AccessGrantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct AccessGrantPayload {
    access_grant: Option<AccessGrant>,
    user_errors: Vec<UserError>,
}

/// Who is and was let into a tenant, the newest first.
pub async fn of_tenant(id: Id) -> Result<Vec<AccessGrant>, ApiError> {
    let variables = GrantsVariables {
        filter: AccessGrantFilter { tenant_id: Some(id) },
        first: MOST,
    };
    let answer = client::run(GrantsQuery::build(variables)).await?;
    Ok(answer.platform.access_grants.nodes)
}

pub async fn grant(input: GrantTenantAccessInput) -> Result<AccessGrant, ApiError> {
    let payload = client::run(GrantTenantAccess::build(GrantVariables { input }))
        .await?
        .grant_tenant_access;
    accept(payload.access_grant, payload.user_errors)
}

pub async fn revoke(id: Id) -> Result<AccessGrant, ApiError> {
    let payload = client::run(RevokeTenantAccess::build(ById { id }))
        .await?
        .revoke_tenant_access;
    accept(payload.access_grant, payload.user_errors)
}
