//! How well a password stands against guessing, while it is typed.

use cynic::QueryBuilder;

use super::{client, error::ApiError, schema};

#[derive(cynic::InputObject, Debug)]
struct PasswordStrengthInput {
    password: String,
    known: Option<Vec<String>>,
}

#[derive(cynic::QueryVariables, Debug)]
struct StrengthVariables {
    input: PasswordStrengthInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "StrengthVariables")]
struct StrengthQuery {
    #[arguments(input: $input)]
    password_strength: PasswordStrength,
}

#[derive(cynic::QueryFragment, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordStrength {
    /// From 0 to 4.
    pub score: i32,
    pub accepted: bool,
}

pub async fn of(password: String, known: Vec<String>) -> Result<PasswordStrength, ApiError> {
    let known = Some(known);
    let input = PasswordStrengthInput { password, known };
    let answer = client::run_once(StrengthQuery::build(StrengthVariables { input })).await?;
    Ok(answer.password_strength)
}
