//! Asking for a link, making one, following it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{TenantId, audit_entry::ActorKind, password_reset, session, user_account};
use sea_orm::{ColumnTrait, DbErr, sea_query::IntoCondition};

use super::queries;
use crate::{
    audit::{self, Action, Actor, Acts, Entry},
    clock::Clock,
    graphql::{ErrorCode, Fault, GqlError, Refusal, UserError, context::Origin},
    secret::Secret,
    store::{Reason, Store},
    tenants::{
        Principal,
        letters::{self, Links},
        one_time::OneTimeSecret,
        password_strength::strong_password,
        queries as accounts,
        service::Accounts,
        types::Email,
    },
};

/// How long a mailed link can be followed.
const MAILED: TimeDelta = TimeDelta::hours(1);
/// How long a link can be followed that an operator passes on.
const PASSED_ON: TimeDelta = TimeDelta::hours(24);

/// A link, and until when it can be followed. It is known only when it is made.
#[derive(Clone, Debug)]
pub struct ResetLink {
    pub link: String,
    pub expires_at: DateTime<Utc>,
}

/// What a link says to whoever holds it.
pub struct OpenReset {
    pub row: password_reset::Model,
    pub user: user_account::Model,
}

impl Accounts {
    /// Mails a link to whom the address belongs, if anybody. Answers at once, whoever it is; false when this server sends
    /// no mail at all.
    pub fn request_password_reset(&self, email: &str, origin: Origin) -> Result<bool, GqlError> {
        let known_as = Email::parse(email).map_or_else(String::new, |email| email.as_str().to_owned());
        // Never forgiven: letters to somebody else's address are counted like guesses of a password.
        let _counted = self
            .throttle
            .begin(
                &format!("password reset of {known_as}"),
                origin.address,
                self.clock().now(),
                self.allowed_failures(),
            )
            .map_err(|retry_at| GqlError::from(Fault::RateLimited { retry_at }))?;
        if !self.mailer.is_on() {
            tracing::info!(
                "a password reset was asked for; no mail is configured, so an operator has to give the link"
            );
            return Ok(false);
        }
        let Ok(permit) = Arc::clone(&self.beside).try_acquire_owned() else {
            tracing::warn!("a password reset was asked for while too many others were: it was dropped");
            return Ok(true);
        };
        let accounts = self.clone();
        tokio::spawn(async move {
            if let Err(error) = accounts.mail_reset_link(&known_as, &origin).await {
                tracing::error!(%error, "a link for a new password was not made");
            }
            drop(permit);
        });
        Ok(true)
    }

    async fn mail_reset_link(&self, email: &str, origin: &Origin) -> Result<(), DbErr> {
        let Some(user) = accounts::find_user_by_email(&self.system(), email).await? else {
            return Ok(());
        };
        let memberships = accounts::list_memberships(&self.system(), user.id).await?;
        let tenant = memberships.first().map(|(tenant, _)| tenant);
        let language = tenant.map_or("en", |tenant| tenant.default_language.as_str());
        let making = Making {
            store: &self.store,
            links: &self.links,
            now: self.clock().now(),
            lifetime: MAILED,
            action: Action::PasswordResetRequested,
        };
        let who = Actor::stranger(origin.clone());
        let made = making.link(&user, tenant.map(|tenant| tenant.id), &who).await?;
        let letter = letters::password_reset(&user.email, language, &made.link);
        self.mailer.send(letter);
        Ok(())
    }

    /// A link for an operator to pass on.
    pub async fn create_password_reset_link(&self, caller: &Principal, email: &str) -> Result<ResetLink, Refusal> {
        caller.require_operator()?;
        let found = operator_link(&self.store, self.clock(), &self.links, email, caller).await?;
        found.ok_or_else(|| UserError::not_found("account").at("email").into())
    }

    /// What a link says; `None` when it was used, has ended, or never was.
    pub async fn open_password_reset(&self, token: &str) -> Result<Option<OpenReset>, GqlError> {
        let Some(secret) = OneTimeSecret::read(token) else {
            return Ok(None);
        };
        let system = self.system();
        let row = queries::find(&system, &secret.hash()).await?;
        let Some(row) = row.filter(|row| self.clock().now() < row.expires_at) else {
            return Ok(None);
        };
        let user = accounts::find_user(&system, row.user_id).await?;
        Ok(user.map(|user| OpenReset { row, user }))
    }

    /// Sets the password of whom the link is for. Every session of the person ends.
    pub async fn reset_password(&self, token: &str, new: Secret, origin: Origin) -> Result<(), Refusal> {
        let OpenReset { row, user } = self.open_password_reset(token).await?.ok_or_else(over)?;
        strong_password(&new, "newPassword", &[&user.email, &user.name])?;
        let hash = self.hash_new(new).await?;
        let now = self.clock().now();
        let tenant = accounts::home_tenant(&self.system(), user.id).await?;
        let tx = self.system().begin().await?;
        if !queries::claim(&tx, &row.token_hash, now).await? {
            return Err(over().into());
        }
        queries::end_all(&tx, user.id).await?;
        accounts::change_password(&tx, user.id, hash, now).await?;
        let every = session::Column::UserId.eq(user.id).into_condition();
        accounts::end_sessions(&tx, every, "password_reset", now).await?;
        let actor = Actor::new(ActorKind::User, &user.id, &user.email, origin);
        let entry = Entry::of(Action::PasswordReset, &user.id).named(&user.email);
        audit::record_beyond(&tx, tenant, now, &actor, entry).await?;
        tx.commit().await?;
        self.authenticator().forget_user(user.id);
        Ok(())
    }
}

/// A link that an operator passes on, from the API or from the server's own machine. `None`: nobody has the address.
pub async fn operator_link(
    store: &Store,
    clock: &Clock,
    links: &Links,
    email: &str,
    who: &impl Acts,
) -> Result<Option<ResetLink>, DbErr> {
    let Some(email) = Email::parse(email) else {
        return Ok(None);
    };
    let system = store.system(Reason::Provisioning);
    let Some(user) = accounts::find_user_by_email(&system, email.as_str()).await? else {
        return Ok(None);
    };
    let making = Making {
        store,
        links,
        now: clock.now(),
        lifetime: PASSED_ON,
        action: Action::PasswordResetLinkCreated,
    };
    let tenant = accounts::home_tenant(&system, user.id).await?;
    making.link(&user, tenant, who).await.map(Some)
}

/// How a link is made.
struct Making<'a> {
    store: &'a Store,
    links: &'a Links,
    now: DateTime<Utc>,
    lifetime: TimeDelta,
    action: Action,
}

impl Making<'_> {
    async fn link(
        &self,
        user: &user_account::Model,
        tenant: Option<TenantId>,
        who: &impl Acts,
    ) -> Result<ResetLink, DbErr> {
        let secret = OneTimeSecret::random();
        let expires_at = self.now + self.lifetime;
        let row = password_reset::Model {
            token_hash: secret.hash(),
            user_id: user.id,
            created_at: self.now,
            expires_at,
        };
        let entry = Entry::of(self.action, &user.id).named(&user.email);
        let tx = self.store.system(Reason::Authentication).begin().await?;
        queries::insert(&tx, row).await?;
        audit::record_beyond(&tx, tenant, self.now, who, entry).await?;
        tx.commit().await?;
        Ok(ResetLink {
            link: self.links.password_reset(&secret),
            expires_at,
        })
    }
}

fn over() -> UserError {
    let message = "This link was used or is too old. Ask for a new one.";
    UserError::new(ErrorCode::NotFound, message).at("token")
}
