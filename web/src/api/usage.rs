//! What a tenant has used over time.

use cynic::{Id, QueryBuilder};

use super::{
    audit::TimeRange,
    client,
    error::ApiError,
    schema,
    values::{At, BigInt},
};

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    Day,
    Week,
    Month,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct UsagePoint {
    pub from: At,
    pub messages_out: BigInt,
    pub messages_in: BigInt,
    pub campaign_recipients: BigInt,
    pub devices: BigInt,
    pub members: BigInt,
}

#[derive(cynic::QueryVariables, Debug)]
struct OwnVariables {
    range: TimeRange,
    granularity: Granularity,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "OwnVariables")]
struct OwnUsage {
    #[arguments(range: $range, granularity: $granularity)]
    usage: Vec<UsagePoint>,
}

#[derive(cynic::QueryVariables, Debug)]
struct TenantVariables {
    id: Id,
    range: TimeRange,
    granularity: Granularity,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "TenantVariables")]
struct UsageQuery {
    platform: UsageOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform", variables = "TenantVariables")]
struct UsageOfPlatform {
    #[arguments(id: $id)]
    tenant: Option<UsageOfTenant>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Tenant", variables = "TenantVariables")]
struct UsageOfTenant {
    #[arguments(range: $range, granularity: $granularity)]
    usage: Vec<UsagePoint>,
}

/// Of the tenant that one acts in.
pub async fn own(range: TimeRange, granularity: Granularity) -> Result<Vec<UsagePoint>, ApiError> {
    Ok(client::run(OwnUsage::build(OwnVariables { range, granularity }))
        .await?
        .usage)
}

/// Of any tenant, for operators.
pub async fn of_tenant(id: Id, range: TimeRange, granularity: Granularity) -> Result<Vec<UsagePoint>, ApiError> {
    let variables = TenantVariables { id, range, granularity };
    let tenant = client::run(UsageQuery::build(variables)).await?.platform.tenant;
    Ok(tenant.map(|tenant| tenant.usage).unwrap_or_default())
}
