//! Where the person is signed in, and the password.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema, token,
    values::{At, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Session {
    pub id: Id,
    pub created_at: At,
    pub last_used_at: At,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub current: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct Sessions {
    sessions: Vec<Session>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct EndSession {
    #[arguments(id: $id)]
    end_session: EndSessionPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct EndSessionPayload {
    ended_id: Option<Id>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
struct LogoutEverywhere {
    #[arguments(everywhere: true)]
    logout: LogoutPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct LogoutPayload {
    success: bool,
}

#[derive(cynic::InputObject, Debug)]
struct ChangePasswordInput {
    current_password: String,
    new_password: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct PasswordVariables {
    input: ChangePasswordInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "PasswordVariables")]
struct ChangePassword {
    #[arguments(input: $input)]
    change_password: ChangePasswordPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ChangePasswordPayload {
    access_token: Option<String>,
    user_errors: Vec<UserError>,
}

pub async fn list() -> Result<Vec<Session>, ApiError> {
    Ok(client::run(Sessions::build(())).await?.sessions)
}

pub async fn end(id: Id) -> Result<Id, ApiError> {
    let payload = client::run(EndSession::build(ById { id })).await?.end_session;
    accept(payload.ended_id, payload.user_errors)
}

/// Ends every session, this one too.
pub async fn end_all() -> Result<bool, ApiError> {
    Ok(client::run(LogoutEverywhere::build(())).await?.logout.success)
}

/// This session goes on with a new access token; every other one ends.
pub async fn change_password(current_password: String, new_password: String) -> Result<(), ApiError> {
    let input = ChangePasswordInput {
        current_password,
        new_password,
    };
    let payload = client::run(ChangePassword::build(PasswordVariables { input }))
        .await?
        .change_password;
    token::keep(accept(payload.access_token, payload.user_errors)?);
    Ok(())
}
