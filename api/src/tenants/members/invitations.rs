//! Inviting people: a link that works once, for seven days.

use chrono::TimeDelta;
use entity::{InvitationId, invitation, membership::Role, tenant};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, ExprTrait};
use serde_json::json;

use super::{Members, queries, service::name};
use crate::{
    audit::{self, Action, Entry},
    clock::new_id,
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    store::{Reason, ScopeOrigin},
    tenants::{
        Meter, Permission, Principal, Quota, letters, one_time::OneTimeSecret, queries as accounts, types::Email,
    },
};

/// How long an invitation can be accepted.
const OPEN: TimeDelta = TimeDelta::days(7);

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

impl Members {
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
        // Accepting takes the place; here nobody is sent a link that cannot be followed.
        let quota = Quota::new(caller.profile().clone(), now);
        quota.check_room(&tx, Meter::Members, 1).await?;
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
        let tenant = tenant.filter(|tenant| tenant.status != tenant::Status::Deleting);
        Ok(tenant.map(|tenant| Offer {
            row,
            tenant,
            has_account: user.is_some(),
        }))
    }

    async fn open(&self, token: &str) -> Result<Option<invitation::Model>, DbErr> {
        let Some(secret) = OneTimeSecret::read(token) else {
            return Ok(None);
        };
        let system = self.store.system(Reason::Authentication);
        let row = queries::find_by_token(&system, &secret.hash()).await?;
        Ok(row.filter(|row| self.clock.now() < row.expires_at))
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

fn no_invitation() -> UserError {
    UserError::not_found("invitation").at("id")
}

fn invited_already(error: DbErr) -> Refusal {
    let message = "This person was invited already. Resend that invitation.";
    Refusal::if_taken(error, UserError::new(ErrorCode::AlreadyExists, message).at("email"))
}
