//! A person's own account in GraphQL.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{SessionId, session};

use super::{principal::principal, schema::accounts};
use crate::{
    graphql::{GqlError, Payload, UserError, answer, ids::parse},
    secret::Secret,
};

/// One login of a person, on one browser or program.
#[derive(SimpleObject)]
pub struct Session {
    /// Opaque id, `ses_…`.
    id: ID,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was renewed last: while it is used, every few minutes.
    last_used_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    expires_at: DateTime<Utc>,
    /// The address that the login came from.
    address: Option<String>,
    /// What the client called itself.
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
}

/// Queries about one's own account.
#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Where the caller is logged in, the last used first, at most 100. For people, not for API tokens.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>, GqlError> {
        let caller = principal(ctx)?;
        let current = caller.require_person()?.session_id;
        let rows = accounts(ctx)?.sessions(caller).await?;
        Ok(rows.into_iter().map(|row| view(row, current)).collect())
    }
}

fn view(row: session::Model, current: SessionId) -> Session {
    Session {
        id: ID(row.id.to_string()),
        current: row.id == current,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        address: row.address,
        user_agent: row.user_agent,
    }
}

/// A new password.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password until now.
    #[graphql(secret)]
    current_password: String,
    /// 8 to 1024 bytes, and not guessed quickly.
    #[graphql(secret)]
    new_password: String,
}

/// What became of a new password.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// To be sent from now on: access tokens from before are refused.
    access_token: Option<String>,
    /// When it ends.
    expires_at: Option<DateTime<Utc>>,
    /// Why it was refused: INVALID_CREDENTIALS, INVALID_INPUT (guessed too quickly).
    user_errors: Vec<UserError>,
}

impl Payload<(Secret, DateTime<Utc>)> for ChangePasswordPayload {
    fn accepted((token, expires_at): (Secret, DateTime<Utc>)) -> Self {
        Self {
            access_token: Some(token.expose().to_owned()),
            expires_at: Some(expires_at),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            access_token: None,
            expires_at: None,
            user_errors,
        }
    }
}

/// A session that was ended.
#[derive(SimpleObject)]
pub struct EndSessionPayload {
    /// The id of the session; null when it was refused.
    ended_id: Option<ID>,
    /// Why it was refused: NOT_FOUND.
    user_errors: Vec<UserError>,
}

impl Payload<SessionId> for EndSessionPayload {
    fn accepted(id: SessionId) -> Self {
        Self {
            ended_id: Some(ID(id.to_string())),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            ended_id: None,
            user_errors,
        }
    }
}

/// Mutations of one's own account.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Chooses a new password. Every other session of the person ends at once.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, GqlError> {
        let caller = principal(ctx)?;
        let (current, new) = (Secret::new(input.current_password), Secret::new(input.new_password));
        answer(accounts(ctx)?.change_password(caller, current, new).await)
    }

    /// Ends one of the caller's own sessions, with its websockets.
    async fn end_session(&self, ctx: &Context<'_>, id: ID) -> Result<EndSessionPayload, GqlError> {
        let caller = principal(ctx)?;
        let service = accounts(ctx)?;
        answer(async { service.end_session(caller, parse(&id, "session", "id")?).await }.await)
    }
}
