//! Members of the tenant, invitations, and what each role may do.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    account::{Permission, Role},
    client,
    error::{ApiError, accept},
    schema, token,
    values::{At, UserError},
};

/// A page of a list that is rarely long.
const MOST: i32 = 100;

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Member {
    pub id: Id,
    pub role: Role,
    pub joined_at: At,
    pub user: Person,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "User")]
pub struct Person {
    pub id: Id,
    pub name: String,
    pub email: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Invitation {
    pub id: Id,
    pub email: String,
    pub role: Role,
    pub expires_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct InvitationOffer {
    pub tenant_name: String,
    pub email: String,
    pub role: Role,
    pub has_account: bool,
}

#[derive(cynic::QueryVariables, Debug)]
struct First {
    first: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "First")]
struct Members {
    #[arguments(first: $first)]
    members: MemberConnection,
}

#[derive(cynic::QueryFragment, Debug)]
struct MemberConnection {
    nodes: Vec<Member>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "First")]
struct Invitations {
    #[arguments(first: $first)]
    invitations: InvitationConnection,
}

#[derive(cynic::QueryFragment, Debug)]
struct InvitationConnection {
    nodes: Vec<Invitation>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryVariables, Debug)]
struct ByToken {
    token: String,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ByToken")]
struct Offer {
    #[arguments(token: $token)]
    invitation: Option<InvitationOffer>,
}

#[derive(cynic::InputObject, Debug)]
struct UpdateMemberInput {
    id: Id,
    role: Role,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdateMemberVariables {
    input: UpdateMemberInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateMemberVariables")]
struct UpdateMember {
    #[arguments(input: $input)]
    update_member: MemberPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MemberPayload {
    member: Option<Member>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RemoveMember {
    #[arguments(id: $id)]
    remove_member: RemovedPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RevokeInvitation {
    #[arguments(id: $id)]
    revoke_invitation: RemovedPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct RemovedPayload {
    deleted_id: Option<Id>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct InviteMemberInput {
    email: String,
    role: Role,
}

#[derive(cynic::QueryVariables, Debug)]
struct InviteVariables {
    input: InviteMemberInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "InviteVariables")]
struct InviteMember {
    #[arguments(input: $input)]
    invite_member: InvitationPayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct ResendInvitation {
    #[arguments(id: $id)]
    resend_invitation: InvitationPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct InvitationPayload {
    link: Option<String>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct AcceptInvitationInput {
    token: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct AcceptVariables {
    input: AcceptInvitationInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "AcceptVariables")]
struct AcceptInvitation {
    #[arguments(input: $input)]
    accept_invitation: AcceptInvitationPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct AcceptInvitationPayload {
    tenant: Option<AcceptedTenant>,
    session: Option<NewSession>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Tenant")]
struct AcceptedTenant {
    id: Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "SessionPayload")]
struct NewSession {
    access_token: Option<String>,
}

/// One line of the table of who may do what.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PermissionRule {
    pub permission: Permission,
    pub description: String,
    pub roles: Vec<Role>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct Permissions {
    permissions: Vec<PermissionRule>,
}

pub async fn permissions() -> Result<Vec<PermissionRule>, ApiError> {
    Ok(client::run(Permissions::build(())).await?.permissions)
}

pub async fn members() -> Result<Vec<Member>, ApiError> {
    Ok(client::run(Members::build(First { first: MOST })).await?.members.nodes)
}

pub async fn invitations() -> Result<Vec<Invitation>, ApiError> {
    let answer = client::run(Invitations::build(First { first: MOST })).await?;
    Ok(answer.invitations.nodes)
}

pub async fn change_role(id: Id, role: Role) -> Result<Member, ApiError> {
    let input = UpdateMemberInput { id, role };
    let payload = client::run(UpdateMember::build(UpdateMemberVariables { input })).await?;
    accept(payload.update_member.member, payload.update_member.user_errors)
}

pub async fn remove(id: Id) -> Result<Id, ApiError> {
    let payload = client::run(RemoveMember::build(ById { id })).await?.remove_member;
    accept(payload.deleted_id, payload.user_errors)
}

/// Invites somebody; the answer is the link to pass on.
pub async fn invite(email: String, role: Role) -> Result<String, ApiError> {
    let input = InviteMemberInput { email, role };
    let payload = client::run(InviteMember::build(InviteVariables { input })).await?;
    accept(payload.invite_member.link, payload.invite_member.user_errors).map(absolute)
}

pub async fn resend(id: Id) -> Result<String, ApiError> {
    let payload = client::run(ResendInvitation::build(ById { id })).await?;
    accept(payload.resend_invitation.link, payload.resend_invitation.user_errors).map(absolute)
}

pub async fn revoke_invitation(id: Id) -> Result<Id, ApiError> {
    let payload = client::run(RevokeInvitation::build(ById { id }))
        .await?
        .revoke_invitation;
    accept(payload.deleted_id, payload.user_errors)
}

/// What an invitation says; nothing when it is over.
pub async fn offer(token: String) -> Result<Option<InvitationOffer>, ApiError> {
    Ok(client::run_once(Offer::build(ByToken { token })).await?.invitation)
}

/// Makes an account and accepts; the session is kept as after a login.
pub async fn come_in(token: String, name: String, password: String) -> Result<(), ApiError> {
    let input = AcceptInvitationInput {
        token,
        name: Some(name),
        password: Some(password),
    };
    let payload = client::run_once(AcceptInvitation::build(AcceptVariables { input }))
        .await?
        .accept_invitation;
    let session = payload.session.and_then(|session| session.access_token);
    let access = accept(session, payload.user_errors)?;
    token::keep(access);
    Ok(())
}

/// Accepts as who is logged in; answers the tenant to go to.
pub async fn accept_invitation(token: String) -> Result<String, ApiError> {
    let input = AcceptInvitationInput {
        token,
        name: None,
        password: None,
    };
    let payload = client::run(AcceptInvitation::build(AcceptVariables { input }))
        .await?
        .accept_invitation;
    accept(payload.tenant, payload.user_errors).map(|tenant| tenant.id.into_inner())
}

/// A server that does not know its public address leaves it to the browser.
fn absolute(link: String) -> String {
    if !link.starts_with('/') {
        return link;
    }
    let origin = web_sys::window().and_then(|window| window.location().origin().ok());
    format!("{}{link}", origin.unwrap_or_default())
}
