//! The sandbox's groups.

use cynic::{MutationBuilder, QueryBuilder};

use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    values::{Jid, PhoneNumber, UserError},
};

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct GroupsQuery {
    sandbox: Option<GroupsOfSandbox>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sandbox")]
struct GroupsOfSandbox {
    groups: Vec<Group>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxGroup")]
pub struct Group {
    pub jid: Jid,
    pub subject: String,
    pub participants: Vec<PhoneNumber>,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxCreateGroupInput {
    owner: String,
    subject: String,
    participants: Vec<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreateGroupVariables {
    input: SandboxCreateGroupInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateGroupVariables")]
struct CreateGroup {
    #[arguments(input: $input)]
    sandbox_create_group: SandboxGroupPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SandboxGroupPayload {
    group: Option<Group>,
    user_errors: Vec<UserError>,
}

/// All groups, oldest first; none where there is no sandbox.
pub async fn groups() -> Result<Vec<Group>, ApiError> {
    let sandbox = client::run(GroupsQuery::build(())).await?.sandbox;
    Ok(sandbox.map(|sandbox| sandbox.groups).unwrap_or_default())
}

/// `owner` makes it and is in it.
pub async fn create_group(owner: String, subject: String, participants: Vec<String>) -> Result<Group, ApiError> {
    let input = SandboxCreateGroupInput {
        owner,
        subject,
        participants,
    };
    let answer = client::run(CreateGroup::build(CreateGroupVariables { input })).await?;
    accept(
        answer.sandbox_create_group.group,
        answer.sandbox_create_group.user_errors,
    )
}
