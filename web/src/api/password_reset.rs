//! A new password without the old one, by a link.

use cynic::{MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::UserError,
};

#[derive(cynic::InputObject, Debug)]
struct RequestPasswordResetInput {
    email: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct RequestVariables {
    input: RequestPasswordResetInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RequestVariables")]
struct RequestReset {
    #[arguments(input: $input)]
    request_password_reset: RequestPasswordResetPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct RequestPasswordResetPayload {
    mails_are_sent: bool,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ByToken {
    token: String,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ByToken")]
struct Offer {
    #[arguments(token: $token)]
    password_reset: Option<PasswordResetOffer>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PasswordResetOffer {
    pub email: String,
}

#[derive(cynic::InputObject, Debug)]
struct ResetPasswordInput {
    token: String,
    new_password: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct ResetVariables {
    input: ResetPasswordInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ResetVariables")]
struct ResetPassword {
    #[arguments(input: $input)]
    reset_password: ResetPasswordPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ResetPasswordPayload {
    success: bool,
    user_errors: Vec<UserError>,
}

/// Asks for a link; whether this server sends mail at all is the answer.
pub async fn request(email: String) -> Result<bool, ApiError> {
    let input = RequestPasswordResetInput { email };
    let payload = client::run_once(RequestReset::build(RequestVariables { input }))
        .await?
        .request_password_reset;
    accept(Some(payload.mails_are_sent), payload.user_errors)
}

/// Whose password a link sets; nothing when it is over.
pub async fn offer(token: String) -> Result<Option<PasswordResetOffer>, ApiError> {
    Ok(client::run_once(Offer::build(ByToken { token })).await?.password_reset)
}

pub async fn reset(token: String, new_password: String) -> Result<(), ApiError> {
    let input = ResetPasswordInput { token, new_password };
    let payload = client::run_once(ResetPassword::build(ResetVariables { input }))
        .await?
        .reset_password;
    accept(payload.success.then_some(()), payload.user_errors)
}
