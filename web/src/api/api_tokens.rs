//! API tokens: how programs act for the tenant.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::{At, UserError},
};

/// A page of a list that is rarely long.
const MOST: i32 = 100;

#[derive(cynic::QueryVariables, Debug)]
struct First {
    first: i32,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ApiToken {
    pub id: Id,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<Scope>,
    pub active: bool,
    pub expires_at: Option<At>,
    pub revoked_at: Option<At>,
    pub last_used_at: Option<At>,
    pub last_used_address: Option<String>,
    pub allowed_networks: Vec<String>,
    pub device_ids: Option<Vec<Id>>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum Scope {
    Read,
    Send,
    ManageDevices,
    Campaigns,
    Admin,
    Otp,
    Webhooks,
    Media,
    Analytics,
    Raw,
    #[cynic(fallback)]
    Other,
}

impl Scope {
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Send,
        Self::ManageDevices,
        Self::Campaigns,
        Self::Otp,
        Self::Webhooks,
        Self::Media,
        Self::Analytics,
        Self::Raw,
        Self::Admin,
    ];

    /// As the API names it; the same in every language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Send => "SEND",
            Self::ManageDevices => "MANAGE_DEVICES",
            Self::Campaigns => "CAMPAIGNS",
            Self::Admin => "ADMIN",
            Self::Otp => "OTP",
            Self::Webhooks => "WEBHOOKS",
            Self::Media => "MEDIA",
            Self::Analytics => "ANALYTICS",
            Self::Raw => "RAW",
            Self::Other => "?",
        }
    }
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "First")]
struct ApiTokens {
    #[arguments(first: $first)]
    api_tokens: ApiTokenConnection,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiTokenConnection {
    nodes: Vec<ApiToken>,
}

#[derive(cynic::InputObject, Debug)]
pub struct CreateApiTokenInput {
    pub name: String,
    pub scopes: Vec<Scope>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<At>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub device_ids: Option<Vec<Id>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreateTokenVariables {
    input: CreateApiTokenInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateTokenVariables")]
struct CreateApiToken {
    #[arguments(input: $input)]
    create_api_token: CreateApiTokenPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct CreateApiTokenPayload {
    secret: Option<String>,
    user_errors: Vec<UserError>,
}

/// What is given replaces what was; without an end it is good for ever, without devices for all of them.
#[derive(cynic::InputObject, Debug)]
pub struct UpdateApiTokenInput {
    pub id: Id,
    pub name: Option<String>,
    pub scopes: Option<Vec<Scope>>,
    pub expires_at: Option<At>,
    pub device_ids: Option<Vec<Id>>,
    pub allowed_networks: Option<Vec<String>>,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdateTokenVariables {
    input: UpdateApiTokenInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateTokenVariables")]
struct UpdateApiToken {
    #[arguments(input: $input)]
    update_api_token: ApiTokenPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RevokeApiToken {
    #[arguments(id: $id)]
    revoke_api_token: ApiTokenPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiTokenPayload {
    api_token: Option<ApiToken>,
    user_errors: Vec<UserError>,
}

pub async fn list() -> Result<Vec<ApiToken>, ApiError> {
    Ok(client::run(ApiTokens::build(First { first: MOST }))
        .await?
        .api_tokens
        .nodes)
}

/// Makes a token; the answer is its secret, shown once.
pub async fn create(input: CreateApiTokenInput) -> Result<String, ApiError> {
    let payload = client::run(CreateApiToken::build(CreateTokenVariables { input })).await?;
    accept(payload.create_api_token.secret, payload.create_api_token.user_errors)
}

pub async fn update(input: UpdateApiTokenInput) -> Result<ApiToken, ApiError> {
    let payload = client::run(UpdateApiToken::build(UpdateTokenVariables { input }))
        .await?
        .update_api_token;
    accept(payload.api_token, payload.user_errors)
}

pub async fn revoke(id: Id) -> Result<ApiToken, ApiError> {
    let payload = client::run(RevokeApiToken::build(ById { id })).await?;
    accept(payload.revoke_api_token.api_token, payload.revoke_api_token.user_errors)
}
