//! Signing in and out, and who is signed in.

use cynic::{Id, MutationBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema, token,
    values::{At, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Viewer {
    pub user: Option<User>,
    pub tenant: Tenant,
    pub role: Option<Role>,
    pub permissions: Vec<Permission>,
    /// What lets an operator into a tenant of others.
    pub access_grant: Option<ViewerGrant>,
    pub memberships: Vec<Membership>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "AccessGrant")]
pub struct ViewerGrant {
    pub id: Id,
    pub role: Role,
    pub reason: String,
    pub expires_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct User {
    pub id: Id,
    pub email: String,
    pub name: String,
    pub operator: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Tenant {
    pub id: Id,
    pub name: String,
    pub default_language: String,
    pub time_zone: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Membership {
    pub tenant: Tenant,
    pub role: Role,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum Role {
    Owner,
    Admin,
    Agent,
    Analyst,
    #[cynic(fallback)]
    Other,
}

/// What somebody may do.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum Permission {
    Read,
    Send,
    ManageDevices,
    ManageCampaigns,
    SendOtp,
    ManageMedia,
    ManageWebhooks,
    ReadAnalytics,
    SendRaw,
    ReadMembers,
    ManageMembers,
    ManageOwners,
    ManageApiTokens,
    ManageTenant,
    ReadAuditLog,
    ExportTenant,
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::InputObject, Debug)]
pub struct LoginInput {
    pub email: String,
    pub password: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Id>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct LoginVariables {
    pub input: LoginInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "LoginVariables")]
pub struct Login {
    #[arguments(input: $input)]
    pub login: SessionPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct SessionPayload {
    pub access_token: Option<String>,
    pub viewer: Option<Viewer>,
    pub challenge: Option<LoginChallenge>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct LoginChallenge {
    token: String,
}

#[derive(cynic::InputObject, Debug)]
struct CompleteLoginInput {
    challenge: String,
    code: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct CompleteLoginVariables {
    input: CompleteLoginInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CompleteLoginVariables")]
struct CompleteLogin {
    #[arguments(input: $input)]
    complete_login: SessionPayload,
}

#[derive(cynic::InputObject, Debug)]
pub struct RefreshSessionInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Id>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct RefreshVariables {
    pub input: RefreshSessionInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RefreshVariables")]
pub struct RefreshSession {
    #[arguments(input: $input)]
    pub refresh_session: SessionPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
#[expect(dead_code, reason = "signed out is signed out, whatever the answer says")]
struct Logout {
    logout: LogoutPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[expect(dead_code, reason = "GraphQL wants at least one field")]
struct LogoutPayload {
    success: bool,
}

/// What a password leads to.
pub enum Entrance {
    In(Box<Viewer>),
    /// A code is wanted, too; this is to be given back with it.
    Code(String),
}

pub async fn login(email: String, password: String) -> Result<Entrance, ApiError> {
    let variables = LoginVariables {
        input: LoginInput {
            email,
            password,
            tenant_id: None,
        },
    };
    let payload = client::run_once(Login::build(variables)).await?.login;
    match payload.challenge {
        Some(challenge) => Ok(Entrance::Code(challenge.token)),
        None => begin(payload).map(|viewer| Entrance::In(Box::new(viewer))),
    }
}

/// The second step, with a code of the authenticator app or a recovery code.
pub async fn complete_login(challenge: String, code: String) -> Result<Viewer, ApiError> {
    let input = CompleteLoginInput { challenge, code };
    let answer = client::run_once(CompleteLogin::build(CompleteLoginVariables { input })).await?;
    begin(answer.complete_login)
}

fn begin(payload: SessionPayload) -> Result<Viewer, ApiError> {
    let (access, viewer) = accept(payload.access_token.zip(payload.viewer), payload.user_errors)?;
    token::keep(access);
    token::keep_tenant(viewer.tenant.id.inner());
    Ok(viewer)
}

/// Ends the session here; the cookie goes with it.
pub async fn logout() -> Result<(), ApiError> {
    let answer = client::run(Logout::build(())).await;
    token::forget();
    answer.map(|_| ())
}
