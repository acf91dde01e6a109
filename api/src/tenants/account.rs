//! What people do with their own account: see and end their sessions, choose a new password.

use chrono::{DateTime, Utc};
use entity::{SessionId, session, user_account};
use sea_orm::{ColumnTrait, Condition};

use super::{password_strength::strong_password, principal::Principal, queries, service::Accounts};
use crate::{
    audit::{self, Action, Acts, Entry},
    graphql::{ErrorCode, Fault, GqlError, Refusal, UserError},
    secret::Secret,
    store::ScopeOrigin,
};

impl Accounts {
    /// The caller's living sessions, the last used first.
    pub async fn sessions(&self, caller: &Principal) -> Result<Vec<session::Model>, GqlError> {
        let person = caller.require_person()?;
        Ok(queries::list_sessions(&self.system(), person.user_id, self.clock.now()).await?)
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(&self, caller: &Principal, id: SessionId) -> Result<SessionId, Refusal> {
        let person = caller.require_person()?;
        let now = self.clock.now();
        let mine = Condition::all()
            .add(session::Column::Id.eq(id))
            .add(session::Column::UserId.eq(person.user_id));
        let tx = self.system().begin().await?;
        if queries::end_sessions(&tx, mine, "ended", now).await? == 0 {
            return Err(UserError::not_found("session").at("id").into());
        }
        let entry = Entry::of(Action::SessionEnded, &id);
        audit::record_beyond(&tx, Some(caller.tenant_id()), now, caller, entry).await?;
        tx.commit().await?;
        self.authenticator.forget_session(id);
        Ok(id)
    }

    /// Sets a new password. Every other session ends, and so does every access token from before: the caller goes on with
    /// the one that is answered.
    pub async fn change_password(
        &self,
        caller: &Principal,
        current: Secret,
        new: Secret,
    ) -> Result<(Secret, DateTime<Utc>), Refusal> {
        let person = caller.require_person()?;
        let now = self.clock.now();
        let user = queries::find_user(&self.system(), person.user_id).await?;
        let user = user.ok_or_else(GqlError::unauthenticated)?;
        strong_password(&new, "newPassword", &[&user.email, &user.name])?;
        self.know_password(caller, &user, current).await?;
        let hash = self.hash_new(new).await?;
        let others = Condition::all()
            .add(session::Column::UserId.eq(user.id))
            .add(session::Column::Id.ne(person.session_id));
        let tx = self.system().begin().await?;
        queries::change_password(&tx, user.id, hash, now).await?;
        queries::end_sessions(&tx, others, "password_change", now).await?;
        let entry = Entry::of(Action::PasswordChanged, &user.id).named(&user.email);
        audit::record_beyond(&tx, Some(caller.tenant_id()), now, caller, entry).await?;
        tx.commit().await?;
        self.authenticator.forget_user(user.id);
        self.tokens
            .sign(user.id, caller.tenant_id(), person.session_id, now)
            .map_err(|error| Refusal::Fault(GqlError::internal(error)))
    }

    /// Refuses a caller who does not know the password; guesses are counted like those of a login.
    pub(super) async fn know_password(
        &self,
        caller: &Principal,
        user: &user_account::Model,
        current: Secret,
    ) -> Result<(), Refusal> {
        let origin = &caller.actor().origin;
        let attempt = self
            .throttle
            .begin(&user.email, origin.address, self.clock.now(), self.allowed_failures())
            .map_err(|retry_at| GqlError::from(Fault::RateLimited { retry_at }))?;
        let checked = self.check_password(&user.email, current, origin).await;
        if let Err(Refusal::User(_)) = checked {
            let message = "This is not your password.";
            return Err(UserError::new(ErrorCode::InvalidCredentials, message)
                .at("currentPassword")
                .into());
        }
        checked?;
        self.throttle.forgive(&attempt);
        Ok(())
    }
}
