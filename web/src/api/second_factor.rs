//! The second factor: an authenticator app beside the password, and codes for when the app is lost.

use cynic::{MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::{At, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct SecondFactor {
    pub enabled: bool,
    pub enabled_at: Option<At>,
    pub recovery_codes_left: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct ViewerQuery {
    viewer: ViewerFactor,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Viewer")]
struct ViewerFactor {
    second_factor: Option<SecondFactor>,
}

/// What an authenticator app needs.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SecondFactorEnrollment")]
pub struct Enrollment {
    pub secret: String,
    pub qr_png: String,
}

#[derive(cynic::InputObject, Debug)]
struct EnrollSecondFactorInput {
    current_password: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct EnrollVariables {
    input: EnrollSecondFactorInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "EnrollVariables")]
struct Enroll {
    #[arguments(input: $input)]
    enroll_second_factor: EnrollSecondFactorPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct EnrollSecondFactorPayload {
    enrollment: Option<Enrollment>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct ConfirmSecondFactorInput {
    code: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct ConfirmVariables {
    input: ConfirmSecondFactorInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ConfirmVariables")]
struct Confirm {
    #[arguments(input: $input)]
    confirm_second_factor: RecoveryCodesPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct RecoveryCodesPayload {
    recovery_codes: Option<Vec<String>>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct SecondFactorInput {
    current_password: String,
    code: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct BothVariables {
    input: SecondFactorInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "BothVariables")]
struct RenewCodes {
    #[arguments(input: $input)]
    renew_recovery_codes: RecoveryCodesPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "BothVariables")]
struct Disable {
    #[arguments(input: $input)]
    disable_second_factor: DisableSecondFactorPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct DisableSecondFactorPayload {
    success: bool,
    user_errors: Vec<UserError>,
}

pub async fn get() -> Result<Option<SecondFactor>, ApiError> {
    Ok(client::run(ViewerQuery::build(())).await?.viewer.second_factor)
}

pub async fn enroll(current_password: String) -> Result<Enrollment, ApiError> {
    let input = EnrollSecondFactorInput { current_password };
    let payload = client::run(Enroll::build(EnrollVariables { input }))
        .await?
        .enroll_second_factor;
    accept(payload.enrollment, payload.user_errors)
}

/// Turns it on; the answer is the recovery codes, shown once.
pub async fn confirm(code: String) -> Result<Vec<String>, ApiError> {
    let input = ConfirmSecondFactorInput { code };
    let payload = client::run(Confirm::build(ConfirmVariables { input }))
        .await?
        .confirm_second_factor;
    accept(payload.recovery_codes, payload.user_errors)
}

/// New recovery codes, shown once; the old ones end.
pub async fn renew_codes(current_password: String, code: String) -> Result<Vec<String>, ApiError> {
    let input = SecondFactorInput { current_password, code };
    let payload = client::run(RenewCodes::build(BothVariables { input }))
        .await?
        .renew_recovery_codes;
    accept(payload.recovery_codes, payload.user_errors)
}

pub async fn disable(current_password: String, code: String) -> Result<(), ApiError> {
    let input = SecondFactorInput { current_password, code };
    let payload = client::run(Disable::build(BothVariables { input }))
        .await?
        .disable_second_factor;
    accept(payload.success.then_some(()), payload.user_errors)
}
