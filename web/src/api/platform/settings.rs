//! What operators set while the server runs.

use cynic::{MutationBuilder, QueryBuilder};

use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    values::{BigInt, UserError},
};

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum RateRule {
    AnonymousRequests,
    ApiCost,
    LoginFailuresPerAccount,
    LoginFailuresPerAddress,
    CampaignStarts,
    Uploads,
    OtpSends,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct RateLimit {
    pub rule: RateRule,
    pub limit: Option<BigInt>,
    pub window_seconds: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PlatformSettings {
    pub rate_limits: Vec<RateLimit>,
    pub webhook_default_url: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct SettingsQuery {
    platform: SettingsOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform")]
struct SettingsOfPlatform {
    settings: PlatformSettings,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct RateLimitInput {
    pub rule: RateRule,
    pub limit: Option<BigInt>,
    pub window_seconds: Option<BigInt>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdatePlatformSettingsInput {
    pub rate_limits: Option<Vec<RateLimitInput>>,
    pub webhook_default_url: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SettingsVariables {
    input: UpdatePlatformSettingsInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SettingsVariables")]
struct UpdateSettings {
    #[arguments(input: $input)]
    update_platform_settings: PlatformSettingsPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct PlatformSettingsPayload {
    settings: Option<PlatformSettings>,
    user_errors: Vec<UserError>,
}

pub async fn get() -> Result<PlatformSettings, ApiError> {
    Ok(client::run(SettingsQuery::build(())).await?.platform.settings)
}

pub async fn update(input: UpdatePlatformSettingsInput) -> Result<PlatformSettings, ApiError> {
    let payload = client::run(UpdateSettings::build(SettingsVariables { input }))
        .await?
        .update_platform_settings;
    accept(payload.settings, payload.user_errors)
}
