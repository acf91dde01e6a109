//! Inviting people, letting them in, changing what they are, removing them.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    InvitationId, MembershipId, UserId, audit_entry::ActorKind, invitation, membership, membership::Role, tenant,
    user_account,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, ExprTrait, SqlErr};
use serde_json::json;

use super::queries;
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::{Clock, new_id},
    graphql::{
        ErrorCode, GqlError, Refusal, UserError,
        context::Origin,
        pagination::{Page, Rows},
    },
    secret::Secret,
    store::{Reason, ScopeOrigin, Store, SystemTx, TenantScope, TenantTx},
    tenants::{
        Accounts, Permission, Principal, letters,
        one_time::OneTimeSecret,
        queries as accounts,
        types::{Email, Session, strong_password},
    },
};

/// How long an invitation can be accepted.
const OPEN: TimeDelta = TimeDelta::days(7);

/// The members of every tenant, as far as the caller may see and change them. Cheap to clone.
#[derive(Clone)]
pub struct Members {
    store: Store,
    clock: Clock,
    accounts: Accounts,
}

/// A member with the person.
#[derive(Clone, Debug)]
pub struct MemberRow {
    pub membership: membership::Model,
    pub user: user_account::Model,
}

/// An open invitation with the link to follow, which is known only when it is made.
#[derive(Clone, Debug)]
pub struct Invited {
    pub row: invitation::Model,
    pub link: String,
    /// Whether it goes to the person by mail, too.
    pub is_mailed: bool,
}

/// What an invitation says to whoever holds its link.
#[derive(Clone, Debug)]
pub struct Offer {
    pub row: invitation::Model,
    pub tenant: tenant::Model,
    /// Whether the address has an account: then its owner logs in, and chooses no password.
    pub has_account: bool,
}

/// Somebody came in: with a session, when the account was made just now.
pub struct Accepted {
    pub tenant: tenant::Model,
    pub session: Option<Session>,
}

impl Members {
    /// Brings the parts together.
    pub fn new(store: Store, clock: Clock, accounts: Accounts) -> Self {
        Self { store, clock, accounts }
    }

    /// What members are counted in.
    pub fn scope(&self, caller: &Principal, permission: Permission) -> Result<TenantScope, GqlError> {
        caller.require(permission)?;
        Ok(self.store.scope(caller))
    }

    /// A page of the tenant's members, the longest membership first.
    pub async fn list(&self, caller: &Principal, page: &Page<MembershipId>) -> Result<Rows<MemberRow>, GqlError> {
        let scope = self.scope(caller, Permission::ReadMembers)?;
        let found = queries::list(&scope, page).await?;
        let ids = found.rows.iter().map(|row| row.user_id).collect();
        let mut people = queries::people(&self.store.system(Reason::Authentication), ids).await?;
        let rows = found.rows.into_iter().filter_map(|membership| {
            let user = people.remove(&membership.user_id)?;
            Some(MemberRow { membership, user })
        });
        Ok(Rows {
            rows: rows.collect(),
            has_next: found.has_next,
            has_previous: found.has_previous,
        })
    }

    /// A member of the tenant.
    pub async fn find(&self, caller: &Principal, id: MembershipId) -> Result<Option<MemberRow>, GqlError> {
        let scope = self.scope(caller, Permission::ReadMembers)?;
        match queries::find(&scope, id).await? {
            Some(membership) => Ok(self.with_person(membership).await?),
            None => Ok(None),
        }
    }

    /// Changes a member's role.
    pub async fn update(&self, caller: &Principal, id: MembershipId, role: Role) -> Result<MemberRow, Refusal> {
        caller.require(Permission::ManageMembers)?;
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let before = self.locked(&tx, id).await?;
        if [before.role, role].contains(&Role::Owner) && before.role != role {
            caller.require(Permission::ManageOwners)?;
        }
        if before.role == Role::Owner && role != Role::Owner {
            keep_an_owner(&tx).await?;
        }
        let changed = tx
            .update::<membership::Entity>()
            .set(membership::Column::Role, role)
            .filter(membership::Column::Id.eq(id))
            .returning()
            .await?;
        let membership = changed.into_iter().next().ok_or_else(no_member)?;
        let row = self.with_person(membership).await?.ok_or_else(no_member)?;
        let entry = Entry::of(Action::MemberUpdated, &id)
            .named(&row.user.email)
            .changed(json!({ "role": name(before.role) }), json!({ "role": name(role) }));
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        self.accounts.authenticator().forget_user(row.user.id);
        Ok(row)
    }

    /// Removes a member. Everybody may leave; others are removed by those who manage members.
    pub async fn remove(&self, caller: &Principal, id: MembershipId) -> Result<MembershipId, Refusal> {
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let before = self.locked(&tx, id).await;
        let leaves = |user: UserId| caller.person().is_some_and(|person| person.user_id == user);
        if !before.as_ref().is_ok_and(|before| leaves(before.user_id)) {
            caller.require(Permission::ManageMembers)?;
        }
        let before = before?;
        if before.role == Role::Owner {
            if !leaves(before.user_id) {
                caller.require(Permission::ManageOwners)?;
            }
            keep_an_owner(&tx).await?;
        }
        tx.delete::<membership::Entity>(membership::Column::Id.eq(id)).await?;
        let user_id = before.user_id;
        let person = self.with_person(before).await?;
        let email = person.map(|row| row.user.email).unwrap_or_default();
        let entry = Entry::of(Action::MemberRemoved, &id).named(&email);
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        self.accounts.authenticator().forget_user(user_id);
        Ok(id)
    }

    /// A page of the tenant's open invitations, newest first.
    pub async fn invitations(
        &self,
        caller: &Principal,
        page: &Page<InvitationId>,
    ) -> Result<Rows<invitation::Model>, GqlError> {
        let scope = self.scope(caller, Permission::ManageMembers)?;
        Ok(queries::list_invitations(&scope, page).await?)
    }

    /// An open invitation of the tenant.
    pub async fn find_invitation(
        &self,
        caller: &Principal,
        id: InvitationId,
    ) -> Result<Option<invitation::Model>, GqlError> {
        let scope = self.scope(caller, Permission::ManageMembers)?;
        Ok(queries::find_invitation(&scope, id).await?)
    }

    /// Invites somebody. The link is answered to the caller, to be passed on.
    pub async fn invite(&self, caller: &Principal, email: &str, role: Role) -> Result<Invited, Refusal> {
        caller.require(Permission::ManageMembers)?;
        if role == Role::Owner {
            caller.require(Permission::ManageOwners)?;
        }
        let email = Email::parse(email).ok_or_else(|| UserError::invalid("email", "This is no email address."))?;
        let now = self.clock.now();
        let system = self.store.system(Reason::Authentication);
        if let Some(user) = accounts::find_user_by_email(&system, email.as_str()).await? {
            let memberships = accounts::list_memberships(&system, user.id).await?;
            if memberships.iter().any(|(tenant, _)| tenant.id == caller.tenant_id()) {
                let message = "This person is a member already.";
                return Err(UserError::new(ErrorCode::AlreadyExists, message).at("email").into());
            }
        }
        let secret = OneTimeSecret::random();
        let tx = self.store.scope(caller).begin().await?;
        // An invitation that nobody can accept any more does not stand in the way.
        let over = invitation::Column::Email
            .eq(email.as_str())
            .and(invitation::Column::ExpiresAt.lte(now));
        tx.delete::<invitation::Entity>(over).await?;
        let row = invitation::ActiveModel {
            id: Set(new_id()),
            tenant_id: Set(tx.tenant_id()),
            email: Set(email.as_str().to_owned()),
            role: Set(role),
            token_hash: Set(secret.hash()),
            invited_by: Set(caller.person().map(|person| person.user_id)),
            created_at: Set(now),
            expires_at: Set(now + OPEN),
        };
        let row = tx.insert::<invitation::Entity, _>(row).await.map_err(invited_already)?;
        let entry = Entry::of(Action::MemberInvited, &row.id)
            .named(&row.email)
            .with(json!({ "role": name(role) }));
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        Ok(self.hand_out(caller, row, &secret).await?)
    }

    /// Makes a new link for an invitation; the old one ends.
    pub async fn renew(&self, caller: &Principal, id: InvitationId) -> Result<Invited, Refusal> {
        use invitation::Column;
        caller.require(Permission::ManageMembers)?;
        let now = self.clock.now();
        let secret = OneTimeSecret::random();
        let tx = self.store.scope(caller).begin().await?;
        let before = tx
            .find_by_id::<invitation::Entity>(id)
            .await?
            .ok_or_else(no_invitation)?;
        if before.role == Role::Owner {
            caller.require(Permission::ManageOwners)?;
        }
        let rows = tx
            .update::<invitation::Entity>()
            .set(Column::TokenHash, secret.hash())
            .set(Column::ExpiresAt, now + OPEN)
            .filter(Column::Id.eq(id))
            .returning()
            .await?;
        let row = rows.into_iter().next().ok_or_else(no_invitation)?;
        let entry = Entry::of(Action::InvitationRenewed, &id).named(&row.email);
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        Ok(self.hand_out(caller, row, &secret).await?)
    }

    /// Takes an invitation back.
    pub async fn revoke(&self, caller: &Principal, id: InvitationId) -> Result<InvitationId, Refusal> {
        caller.require(Permission::ManageMembers)?;
        let tx = self.store.scope(caller).begin().await?;
        let row = tx
            .find_by_id::<invitation::Entity>(id)
            .await?
            .ok_or_else(no_invitation)?;
        if tx.delete::<invitation::Entity>(invitation::Column::Id.eq(id)).await? == 0 {
            return Err(no_invitation().into());
        }
        let entry = Entry::of(Action::InvitationRevoked, &id).named(&row.email);
        audit::record(&tx, self.clock.now(), caller, entry).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// What an invitation says to whoever holds its link.
    pub async fn offer(&self, token: &str) -> Result<Option<Offer>, GqlError> {
        let system = self.store.system(Reason::Authentication);
        let Some(row) = self.open(token).await? else {
            return Ok(None);
        };
        let user = accounts::find_user_by_email(&system, &row.email).await?;
        let tenant = accounts::find_tenant(&system, row.tenant_id).await?;
        Ok(tenant.map(|tenant| Offer {
            row,
            tenant,
            has_account: user.is_some(),
        }))
    }

    /// Lets the holder of a link in: a person who is logged in with the invited address, or a new one.
    pub async fn accept(
        &self,
        caller: Option<&Principal>,
        token: &str,
        newcomer: Option<(String, Secret)>,
        origin: Origin,
    ) -> Result<Accepted, Refusal> {
        let offer = self.offer(token).await?.ok_or_else(over)?;
        let now = self.clock.now();
        let (user, is_new) = if offer.has_account {
            (self.logged_in(caller, &offer).await?, false)
        } else {
            (self.newcomer(&offer, newcomer, now).await?, true)
        };
        let actor = Actor::new(ActorKind::User, &user.id, &user.email, origin.clone());
        let member = membership::Model {
            id: new_id(),
            tenant_id: offer.tenant.id,
            user_id: user.id,
            role: offer.row.role,
            created_at: now,
        };
        let entry = Entry::of(Action::InvitationAccepted, &member.id)
            .named(&user.email)
            .with(json!({ "role": name(member.role) }));
        let tx = self.store.system(Reason::Authentication).begin().await?;
        if !queries::claim_invitation(&tx, &offer.row.token_hash).await? {
            return Err(over().into());
        }
        if is_new {
            accounts::insert_user(&tx, user.clone()).await.map_err(taken)?;
        }
        accounts::insert_membership(&tx, member).await.map_err(taken)?;
        audit::record_beyond(&tx, Some(offer.tenant.id), now, &actor, entry).await?;
        let session = self.session(&tx, is_new, &user, &offer, origin).await?;
        tx.commit().await?;
        Ok(Accepted {
            tenant: offer.tenant,
            session,
        })
    }

    async fn session(
        &self,
        tx: &SystemTx,
        is_new: bool,
        user: &user_account::Model,
        offer: &Offer,
        origin: Origin,
    ) -> Result<Option<Session>, Refusal> {
        if !is_new {
            return Ok(None);
        }
        let identity = (user.clone(), offer.tenant.clone(), offer.row.role);
        self.accounts.begin_session(tx, identity, origin).await.map(Some)
    }

    async fn logged_in(&self, caller: Option<&Principal>, offer: &Offer) -> Result<user_account::Model, Refusal> {
        let mine = match caller.and_then(Principal::person) {
            Some(person) => {
                let system = self.store.system(Reason::Authentication);
                accounts::find_user(&system, person.user_id).await?
            }
            None => None,
        };
        mine.filter(|user| user.email == offer.row.email).ok_or_else(|| {
            let message = format!("Log in as {} first, then accept.", offer.row.email);
            UserError::new(ErrorCode::Forbidden, message).into()
        })
    }

    async fn newcomer(
        &self,
        offer: &Offer,
        newcomer: Option<(String, Secret)>,
        now: DateTime<Utc>,
    ) -> Result<user_account::Model, Refusal> {
        let (name, password) =
            newcomer.ok_or_else(|| UserError::invalid("password", "Choose a name and a password."))?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 120 {
            return Err(UserError::invalid("name", "A name has 1 to 120 characters.").into());
        }
        strong_password(&password, "password", &[&offer.row.email, name])?;
        Ok(user_account::Model {
            id: new_id(),
            email: offer.row.email.clone(),
            name: name.to_owned(),
            password_hash: self.accounts.hash_new(password).await?,
            password_changed_at: now,
            operator: false,
            created_at: now,
            updated_at: now,
        })
    }

    async fn open(&self, token: &str) -> Result<Option<invitation::Model>, DbErr> {
        let Some(secret) = OneTimeSecret::read(token) else {
            return Ok(None);
        };
        let system = self.store.system(Reason::Authentication);
        let row = queries::find_by_token(&system, &secret.hash()).await?;
        Ok(row.filter(|row| self.clock.now() < row.expires_at))
    }

    async fn locked(&self, tx: &TenantTx, id: MembershipId) -> Result<membership::Model, Refusal> {
        queries::lock(tx).await?;
        let row = tx.find_by_id::<membership::Entity>(id).await?;
        row.ok_or_else(|| no_member().into())
    }

    async fn with_person(&self, membership: membership::Model) -> Result<Option<MemberRow>, DbErr> {
        let user = accounts::find_user(&self.store.system(Reason::Authentication), membership.user_id).await?;
        Ok(user.map(|user| MemberRow { membership, user }))
    }

    /// Makes the link, and mails it when mail is sent.
    async fn hand_out(
        &self,
        caller: &Principal,
        row: invitation::Model,
        secret: &OneTimeSecret,
    ) -> Result<Invited, DbErr> {
        let link = self.accounts.links.invitation(secret);
        let system = self.store.system(Reason::Authentication);
        let tenant = accounts::find_tenant(&system, caller.tenant_id()).await?;
        let letter = tenant.map(|tenant| {
            let language = &tenant.default_language;
            letters::invitation(&row.email, language, &tenant.name, &link)
        });
        let is_mailed = letter.is_some_and(|letter| self.accounts.mailer.send(letter));
        Ok(Invited { row, link, is_mailed })
    }
}

async fn keep_an_owner(tx: &TenantTx) -> Result<(), Refusal> {
    if queries::count_owners(tx).await? < 2 {
        let message = "A tenant always has an owner. Make somebody else an owner first.";
        return Err(UserError::new(ErrorCode::Conflict, message).at("id").into());
    }
    Ok(())
}

fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role).to_uppercase()
}

fn no_member() -> UserError {
    UserError::not_found("member").at("id")
}

fn no_invitation() -> UserError {
    UserError::not_found("invitation").at("id")
}

fn over() -> UserError {
    let message = "This invitation was used, taken back or is too old. Ask for a new one.";
    UserError::new(ErrorCode::NotFound, message).at("token")
}

fn invited_already(error: DbErr) -> Refusal {
    let message = "This person was invited already. Resend that invitation.";
    unique_or(error, UserError::new(ErrorCode::AlreadyExists, message).at("email"))
}

fn taken(error: DbErr) -> Refusal {
    let message = "Somebody with this address came in a moment ago. Log in.";
    unique_or(error, UserError::new(ErrorCode::AlreadyExists, message))
}

fn unique_or(error: DbErr, refusal: UserError) -> Refusal {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => refusal.into(),
        _ => error.into(),
    }
}
