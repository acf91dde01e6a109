//! Password resets in GraphQL.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::service::{OpenReset, ResetLink};
use crate::{
    graphql::{GqlError, Outcome, Payload, UserError, answer},
    secret::Secret,
    tenants::{
        principal,
        schema::{accounts, origin},
    },
};

/// What a link for a new password says to whoever holds it.
#[derive(SimpleObject)]
pub struct PasswordResetOffer {
    /// Whose password it sets.
    email: String,
    /// Until when it can be followed.
    expires_at: DateTime<Utc>,
}

impl From<OpenReset> for PasswordResetOffer {
    fn from(open: OpenReset) -> Self {
        Self {
            email: open.user.email,
            expires_at: open.row.expires_at,
        }
    }
}

/// Queries about links for new passwords.
#[derive(Default)]
pub struct PasswordResetQuery;

#[Object]
impl PasswordResetQuery {
    /// What a link for a new password says: `token` stands in it behind the `#`. Needs no authentication. Null when it was
    /// used, or has ended.
    async fn password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(secret)] token: String,
    ) -> Result<Option<PasswordResetOffer>, GqlError> {
        let open = accounts(ctx)?.open_password_reset(&token).await?;
        Ok(open.map(PasswordResetOffer::from))
    }
}

/// Who wants a new password.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The address to log in with.
    email: String,
}

/// A new password for whom the link is for.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// What stands in the link behind the `#`.
    #[graphql(secret)]
    token: String,
    /// 8 to 1024 bytes, and not guessed quickly.
    #[graphql(secret)]
    new_password: String,
}

/// Whom a link is for.
#[derive(InputObject)]
pub struct CreatePasswordResetLinkInput {
    /// The address to log in with.
    email: String,
}

/// The same for every address, known or not.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// Whether this server sends mail at all. If not, the platform's operator gives out links.
    mails_are_sent: bool,
    /// Empty.
    user_errors: Vec<UserError>,
}

impl Payload<bool> for RequestPasswordResetPayload {
    fn accepted(mails_are_sent: bool) -> Self {
        Self {
            mails_are_sent,
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            mails_are_sent: false,
            user_errors,
        }
    }
}

/// Whether the password was set.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// True when the new password counts. Log in with it.
    success: bool,
    /// NOT_FOUND (the link was used or has ended), INVALID_INPUT (guessed too quickly).
    user_errors: Vec<UserError>,
}

impl Outcome for ResetPasswordPayload {
    fn new(success: bool, user_errors: Vec<UserError>) -> Self {
        Self { success, user_errors }
    }
}

/// A link for a new password.
#[derive(SimpleObject)]
pub struct PasswordResetLinkPayload {
    /// To be passed on to the person. It is answered this once, and works once. Without a configured public address it
    /// begins with `/`, seen from this server. Null when it was refused.
    link: Option<String>,
    /// Until when it can be followed: 24 hours.
    expires_at: Option<DateTime<Utc>>,
    /// NOT_FOUND (nobody has the address).
    user_errors: Vec<UserError>,
}

impl Payload<ResetLink> for PasswordResetLinkPayload {
    fn accepted(made: ResetLink) -> Self {
        Self {
            link: Some(made.link),
            expires_at: Some(made.expires_at),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            link: None,
            expires_at: None,
            user_errors,
        }
    }
}

/// Mutations that lead to a new password without the old one.
#[derive(Default)]
pub struct PasswordResetMutation;

#[Object]
impl PasswordResetMutation {
    /// Mails a link for a new password, good for one hour, to the address if somebody logs in with it. Needs no
    /// authentication, and answers the same for every address; after several requests RATE_LIMITED.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload, GqlError> {
        let asked = accounts(ctx)?.request_password_reset(&input.email, origin(ctx));
        std::future::ready(asked.map(RequestPasswordResetPayload::accepted)).await
    }

    /// Sets a new password by a link. Needs no authentication. Every session of the person ends, and every other link;
    /// a second factor stays on.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload, GqlError> {
        let new = Secret::new(input.new_password);
        answer(accounts(ctx)?.reset_password(&input.token, new, origin(ctx)).await)
    }

    /// Makes a link for a new password, for somebody whom no mail reaches. Operators only.
    async fn create_password_reset_link(
        &self,
        ctx: &Context<'_>,
        input: CreatePasswordResetLinkInput,
    ) -> Result<PasswordResetLinkPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(accounts(ctx)?.create_password_reset_link(caller, &input.email).await)
    }
}
