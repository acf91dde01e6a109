//! People of every tenant, for those who run the platform.

use cynic::MutationBuilder;

use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    values::UserError,
};

#[derive(cynic::InputObject, Debug)]
struct CreatePasswordResetLinkInput {
    email: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct LinkVariables {
    input: CreatePasswordResetLinkInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "LinkVariables")]
struct CreatePasswordResetLink {
    #[arguments(input: $input)]
    create_password_reset_link: PasswordResetLinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct PasswordResetLinkPayload {
    link: Option<String>,
    user_errors: Vec<UserError>,
}

/// A link by which somebody sets a new password; it is answered this once.
pub async fn password_reset_link(email: String) -> Result<String, ApiError> {
    let input = CreatePasswordResetLinkInput { email };
    let payload = client::run(CreatePasswordResetLink::build(LinkVariables { input }))
        .await?
        .create_password_reset_link;
    accept(payload.link, payload.user_errors)
}
