//! Members and invitations in GraphQL.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{InvitationId, MembershipId, invitation};

use super::{
    accepting::Accepted,
    invitations::{Invited, Offer},
    queries,
    service::{MemberRow, Members},
};
use crate::{
    graphql::{
        GqlError, Payload, UserError, answer,
        ids::parse,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    secret::Secret,
    tenants::{
        Permission, Principal, principal,
        schema::{Role, Tenant, User, origin},
        session_schema::{SessionPayload, hand_out},
    },
};

/// A person who belongs to the tenant.
#[derive(Clone, Debug, SimpleObject)]
pub struct Member {
    /// Opaque id of the membership, `mem_…`.
    pub id: ID,
    /// The person.
    user: User,
    /// What the person may do here; `permissions` has the table.
    role: Role,
    /// When the person came in.
    joined_at: DateTime<Utc>,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            id: ID(row.membership.id.to_string()),
            role: row.membership.role.into(),
            joined_at: row.membership.created_at,
            user: row.user.into(),
        }
    }
}

impl Member {
    /// A member of the caller's tenant.
    pub async fn find(ctx: &Context<'_>, id: MembershipId) -> Result<Option<Self>, GqlError> {
        Ok(members(ctx).find(principal(ctx)?, id).await?.map(Self::from))
    }
}

/// An open invitation: it goes when it is accepted or revoked.
#[derive(Clone, Debug, SimpleObject)]
pub struct Invitation {
    /// Opaque id, `inv_…`.
    pub id: ID,
    /// Who is invited.
    email: String,
    /// What the person will be.
    role: Role,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when the link can be followed: seven days from when it was made or renewed.
    expires_at: DateTime<Utc>,
}

impl From<invitation::Model> for Invitation {
    fn from(row: invitation::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            email: row.email,
            role: row.role.into(),
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

impl Invitation {
    /// An open invitation of the caller's tenant, for those who may manage members.
    pub async fn find(ctx: &Context<'_>, id: InvitationId) -> Result<Option<Self>, GqlError> {
        Ok(members(ctx).find_invitation(principal(ctx)?, id).await?.map(Self::from))
    }
}

/// What an invitation says to whoever holds its link.
#[derive(SimpleObject)]
pub struct InvitationOffer {
    /// The tenant's name.
    tenant_name: String,
    /// Who is invited.
    email: String,
    /// What the person will be.
    role: Role,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
    /// Whether the address has an account: then its owner logs in before accepting, and chooses no password.
    has_account: bool,
}

impl From<Offer> for InvitationOffer {
    fn from(offer: Offer) -> Self {
        Self {
            tenant_name: offer.tenant.name,
            email: offer.row.email,
            role: offer.row.role.into(),
            expires_at: offer.row.expires_at,
            has_account: offer.has_account,
        }
    }
}

/// Queries of members.
#[derive(Default)]
pub struct MemberQuery;

#[Object]
impl MemberQuery {
    /// Who belongs to the tenant, the longest membership first. Every role may see it; an API token needs ADMIN.
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Member>, GqlError> {
        let caller = principal(ctx)?;
        let scope = members(ctx).scope(caller, Permission::ReadMembers)?;
        let page = PageArguments::new(first, after, last, before);
        let rows = members(ctx).list(&scope, &page.parse()?).await?;
        let total = TotalCount::by(move || {
            let scope = scope.clone();
            async move { Ok(queries::count(&scope).await?) }
        });
        Ok(counted(rows, total, |row| (row.membership.id, Member::from(row))))
    }

    /// The tenant's open invitations, newest first. Needs the right to manage members.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Invitation>, GqlError> {
        let caller = principal(ctx)?;
        let scope = members(ctx).scope(caller, Permission::ManageMembers)?;
        let page = PageArguments::new(first, after, last, before);
        let rows = queries::list_invitations(&scope, &page.parse()?).await?;
        let total = TotalCount::by(move || {
            let scope = scope.clone();
            async move { Ok(queries::count_invitations(&scope).await?) }
        });
        Ok(counted(rows, total, |row| (row.id, Invitation::from(row))))
    }

    /// What an invitation says: `token` stands in its link behind the `#`. Needs no authentication. Null when it was used,
    /// taken back or is too old.
    async fn invitation(&self, ctx: &Context<'_>, token: String) -> Result<Option<InvitationOffer>, GqlError> {
        Ok(members(ctx).offer(&token).await?.map(InvitationOffer::from))
    }
}

/// Changes of a member.
#[derive(InputObject)]
pub struct UpdateMemberInput {
    /// Which membership, `mem_…`.
    id: ID,
    /// What the person will be. Only an OWNER makes or unmakes owners, and the last owner stays one.
    role: Role,
}

/// Somebody to invite.
#[derive(InputObject)]
pub struct InviteMemberInput {
    /// The address that the person has or will have an account with.
    email: String,
    /// What the person will be. Only an OWNER invites owners.
    role: Role,
}

/// An invitation that is accepted.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// What stands in the link behind the `#`.
    #[graphql(secret)]
    token: String,
    /// For people without an account: 1–120 characters.
    name: Option<String>,
    /// For people without an account: at least 10 characters.
    #[graphql(secret)]
    password: Option<String>,
}

/// What became of a member.
#[derive(SimpleObject)]
pub struct MemberPayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why it was refused: NOT_FOUND, CONFLICT (the last owner).
    user_errors: Vec<UserError>,
}

impl Payload<MemberRow> for MemberPayload {
    fn accepted(row: MemberRow) -> Self {
        Self {
            member: Some(row.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            member: None,
            user_errors,
        }
    }
}

/// What became of a removal.
#[derive(SimpleObject)]
pub struct RemovedPayload {
    /// The id of what is gone; null when it was refused.
    deleted_id: Option<ID>,
    /// Why it was refused: NOT_FOUND, CONFLICT (the last owner).
    user_errors: Vec<UserError>,
}

impl<T: std::fmt::Display> Payload<T> for RemovedPayload {
    fn accepted(id: T) -> Self {
        Self {
            deleted_id: Some(ID(id.to_string())),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            deleted_id: None,
            user_errors,
        }
    }
}

/// An invitation with its link.
#[derive(SimpleObject)]
pub struct InvitationPayload {
    /// The invitation; null when it was refused.
    invitation: Option<Invitation>,
    /// What to send to the person. It is answered this once, and works once. Without a configured public address it begins
    /// with `/`, seen from this server.
    link: Option<String>,
    /// Whether the link is being mailed to the person. False when this server sends no mail: pass the link on yourself.
    mailed: bool,
    /// Why it was refused: INVALID_INPUT, ALREADY_EXISTS (a member, or invited), NOT_FOUND, QUOTA_EXCEEDED (the tenant has
    /// as many members as it may have).
    user_errors: Vec<UserError>,
}

impl Payload<Invited> for InvitationPayload {
    fn accepted(invited: Invited) -> Self {
        Self {
            invitation: Some(invited.row.into()),
            link: Some(invited.link),
            mailed: invited.is_mailed,
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            invitation: None,
            link: None,
            mailed: false,
            user_errors,
        }
    }
}

/// Somebody came in, or not.
#[derive(SimpleObject)]
pub struct AcceptInvitationPayload {
    /// Where the person belongs now. `refreshSession(tenantId)` takes a session there.
    tenant: Option<Tenant>,
    /// For a new account: its first session.
    session: Option<SessionPayload>,
    /// Why it was refused: NOT_FOUND (the invitation is over), FORBIDDEN (log in with the invited address first),
    /// INVALID_INPUT, ALREADY_EXISTS, QUOTA_EXCEEDED (the tenant is full; the link stays good).
    user_errors: Vec<UserError>,
}

impl Payload<AcceptInvitationPayload> for AcceptInvitationPayload {
    fn accepted(payload: AcceptInvitationPayload) -> Self {
        payload
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            tenant: None,
            session: None,
            user_errors,
        }
    }
}

/// Mutations of members and invitations.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Changes a member's role. Needs the right to manage members; it counts within a second.
    async fn update_member(&self, ctx: &Context<'_>, input: UpdateMemberInput) -> Result<MemberPayload, GqlError> {
        let caller = principal(ctx)?;
        let id = parse(&input.id, "member", "id");
        answer(async { members(ctx).update(caller, id?, input.role.into()).await }.await)
    }

    /// Removes a member; everybody may remove themselves. The last owner stays. It counts within a second.
    async fn remove_member(&self, ctx: &Context<'_>, id: ID) -> Result<RemovedPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { members(ctx).remove(caller, parse(&id, "member", "id")?).await }.await)
    }

    /// Invites somebody by a link that works once, for seven days, and mails it when the server sends mail. Needs the right
    /// to manage members. The invitation takes no place: whoever accepts first has it.
    async fn invite_member(&self, ctx: &Context<'_>, input: InviteMemberInput) -> Result<InvitationPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(members(ctx).invite(caller, &input.email, input.role.into()).await)
    }

    /// Makes a new link for an invitation, for seven days; the old one ends. Needs the right to manage members.
    async fn resend_invitation(&self, ctx: &Context<'_>, id: ID) -> Result<InvitationPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { members(ctx).renew(caller, parse(&id, "invitation", "id")?).await }.await)
    }

    /// Takes an invitation back. Needs the right to manage members.
    async fn revoke_invitation(&self, ctx: &Context<'_>, id: ID) -> Result<RemovedPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { members(ctx).revoke(caller, parse(&id, "invitation", "id")?).await }.await)
    }

    /// Accepts an invitation. Somebody without an account gives a name and a password and needs no authentication;
    /// somebody with one is logged in with the invited address.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload, GqlError> {
        let newcomer = input
            .password
            .map(|password| (input.name.unwrap_or_default(), Secret::new(password)));
        let caller = ctx.data_opt::<Principal>();
        let accepted = members(ctx).accept(caller, &input.token, newcomer, origin(ctx)).await;
        answer(accepted.map(|accepted| welcome(ctx, accepted)))
    }
}

fn welcome(ctx: &Context<'_>, accepted: Accepted) -> AcceptInvitationPayload {
    AcceptInvitationPayload {
        tenant: Some(accepted.tenant.into()),
        session: accepted.session.map(|session| hand_out(ctx, session)),
        user_errors: Vec::new(),
    }
}

fn members<'a>(ctx: &Context<'a>) -> &'a Members {
    ctx.data_unchecked::<Members>()
}
