//! The tenant's own settings, its plan and limits.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::{At, BigInt, UserError},
};

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum Meter {
    Devices,
    MessagesPerDay,
    MessagesPerMonth,
    CampaignRecipientsPerDay,
    Contacts,
    MediaBytes,
    Webhooks,
    Members,
    ApiCost,
    #[cynic(fallback)]
    Other,
}

impl Meter {
    pub const ALL: [Self; 9] = [
        Self::Devices,
        Self::MessagesPerDay,
        Self::MessagesPerMonth,
        Self::CampaignRecipientsPerDay,
        Self::Contacts,
        Self::MediaBytes,
        Self::Webhooks,
        Self::Members,
        Self::ApiCost,
    ];
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum TenantStatus {
    Active,
    Suspended,
    Deleting,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Limit {
    pub meter: Meter,
    #[cynic(rename = "limit")]
    pub most: Option<BigInt>,
    pub used: BigInt,
    pub resets_at: Option<At>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Plan")]
pub struct PlanName {
    pub id: Id,
    pub name: String,
}

/// The tenant with what it may use.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Tenant")]
pub struct TenantUsage {
    pub id: Id,
    pub name: String,
    pub slug: String,
    pub status: TenantStatus,
    pub suspension_reason: Option<String>,
    pub default_country: String,
    pub default_language: String,
    pub time_zone: String,
    pub plan: Option<PlanName>,
    pub limits: Vec<Limit>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct TenantQuery {
    tenant: TenantUsage,
}

#[derive(cynic::InputObject, Clone, Debug, Default)]
pub struct UpdateTenantSettingsInput {
    pub name: Option<String>,
    pub default_country: Option<String>,
    pub default_language: Option<String>,
    pub time_zone: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdateVariables {
    input: UpdateTenantSettingsInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateVariables")]
struct UpdateTenantSettings {
    #[arguments(input: $input)]
    update_tenant_settings: TenantPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct TenantPayload {
    tenant: Option<TenantUsage>,
    user_errors: Vec<UserError>,
}

pub async fn get() -> Result<TenantUsage, ApiError> {
    Ok(client::run(TenantQuery::build(())).await?.tenant)
}

pub async fn update(input: UpdateTenantSettingsInput) -> Result<TenantUsage, ApiError> {
    let payload = client::run(UpdateTenantSettings::build(UpdateVariables { input }))
        .await?
        .update_tenant_settings;
    accept(payload.tenant, payload.user_errors)
}
