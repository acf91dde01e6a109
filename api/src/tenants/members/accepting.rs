//! Letting people in who hold an invitation's link.
//!
//! **Invariant:** whoever comes in has a place. The place is taken in the transaction that makes the membership, so that
//! of many who accept at the same moment no more come in than the tenant may have.

use chrono::{DateTime, Utc};
use entity::{TenantId, audit_entry::ActorKind, membership, tenant, user_account};
use sea_orm::{ActiveModelTrait, DbErr};
use serde_json::json;

use super::{Members, invitations::Offer, queries, service::name};
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::new_id,
    graphql::{ErrorCode, Refusal, UserError, context::Origin},
    secret::Secret,
    store::{Reason, ScopeOrigin, SystemTx},
    tenants::{Meter, Principal, Quota, password_strength::strong_password, queries as accounts, types::Session},
};

/// Somebody came in: with a session, when the account was made just now.
pub struct Accepted {
    pub tenant: tenant::Model,
    pub session: Option<Session>,
}

/// An invitation that was used up within a transaction: its holder may write the membership.
pub(super) struct UsedInvitation(TenantId);

impl UsedInvitation {
    /// Uses it up; of two at the same moment only one gets it.
    async fn claim(tx: &SystemTx, offer: &Offer) -> Result<Self, Refusal> {
        if queries::claim_invitation(tx, &offer.row.token_hash).await? {
            Ok(Self(offer.row.tenant_id))
        } else {
            Err(over().into())
        }
    }
}

impl ScopeOrigin for UsedInvitation {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
}

impl Members {
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
        let profile = self.profiles.get(offer.tenant.id).await?.ok_or_else(over)?;
        let tx = self.store.system(Reason::Authentication).begin().await?;
        let invitation = UsedInvitation::claim(&tx, &offer).await?;
        if is_new {
            accounts::insert_user(&tx, user.clone()).await.map_err(taken)?;
        }
        audit::record_beyond(&tx, Some(offer.tenant.id), now, &actor, entry).await?;
        let session = self.session(&tx, is_new, &user, &offer, origin).await?;
        let tx = tx.narrow(&invitation);
        let warnings = Quota::new(profile, now).reserve(&tx, Meter::Members, 1).await?;
        let row = membership::ActiveModel::from(member).reset_all();
        tx.insert::<membership::Entity, _>(row).await.map_err(taken)?;
        self.events.commit(tx, warnings).await?;
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
}

fn over() -> UserError {
    let message = "This invitation was used, taken back or is too old. Ask for a new one.";
    UserError::new(ErrorCode::NotFound, message).at("token")
}

fn taken(error: DbErr) -> Refusal {
    let message = "Somebody with this address came in a moment ago. Log in.";
    Refusal::if_taken(error, UserError::new(ErrorCode::AlreadyExists, message))
}
