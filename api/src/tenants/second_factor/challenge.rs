//! The second step of a login: the password was right, a code is missing.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{TenantId, UserId};

use super::queries;
use crate::{
    graphql::{ErrorCode, GqlError, Refusal, UserError, context::Origin},
    secret::Secret,
    tenants::{
        queries as accounts,
        service::Accounts,
        sessions::choose,
        types::{Entrance, Session},
    },
};

/// How long the second step may take.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// A login whose password was right.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Signed; shows that the password was right.
    pub token: Secret,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Accounts {
    /// Goes on after the right password: lets in, or asks for a code.
    pub(in crate::tenants) async fn after_password(
        &self,
        user: entity::user_account::Model,
        tenant: Option<TenantId>,
        code: Option<&str>,
        origin: Origin,
    ) -> Result<Entrance, Refusal> {
        let system = self.system();
        let (tenant, role) = choose(accounts::list_memberships(&system, user.id).await?, tenant, |place| {
            place.0.id
        })?;
        let factor = queries::find(&system, user.id).await?;
        let factor = factor.filter(|factor| factor.confirmed_at.is_some());
        match (factor, code) {
            (None, _) => {}
            (Some(_), None) => {
                let now = self.clock().now();
                let (token, expires_at) = self
                    .tokens
                    .sign_challenge(user.id, tenant.id, now, PATIENCE)
                    .map_err(GqlError::internal)?;
                return Ok(Entrance::Challenge(Challenge { token, expires_at }));
            }
            (Some(_), Some(code)) => self.spend_code(&user, code, &origin).await?,
        }
        let tx = system.begin().await?;
        let session = self.begin_session(&tx, (user, tenant, role), origin).await?;
        tx.commit().await?;
        Ok(Entrance::Session(Box::new(session)))
    }

    /// Ends a login that waits for a code.
    pub async fn complete_login(&self, challenge: &str, code: &str, origin: Origin) -> Result<Session, Refusal> {
        let begun = self.challenged(challenge).ok_or_else(too_late)?;
        let (user, tenant, issued_at) = begun;
        let user = accounts::find_user(&self.system(), user).await?.ok_or_else(too_late)?;
        // A challenge carries whole seconds only.
        if user.password_changed_at.timestamp() > issued_at.timestamp() {
            return Err(too_late().into());
        }
        match self.after_password(user, Some(tenant), Some(code), origin).await? {
            Entrance::Session(session) => Ok(*session),
            Entrance::Challenge(_) => Err(too_late().into()),
        }
    }

    fn challenged(&self, token: &str) -> Option<(UserId, TenantId, DateTime<Utc>)> {
        self.tokens.verify_challenge(token, self.clock().now()).ok()
    }
}

fn too_late() -> UserError {
    let message = "The login took too long. Begin again with your password.";
    UserError::new(ErrorCode::SessionExpired, message).at("challenge")
}
