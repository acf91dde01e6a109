//! Sessions in GraphQL: where they begin, go on and end, and how tokens are handed out.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    principal::Principal,
    schema::{Viewer, accounts, origin},
    second_factor,
    types::{Entrance, Session},
};
use crate::{
    graphql::{
        ErrorCode, GqlError, Outcome, Payload, Refusal, UserError, answer,
        context::{CookieChange, Transport},
        ids,
    },
    secret::Secret,
};

/// Who logs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// Letter case does not matter.
    email: String,
    /// At most 1024 bytes.
    #[graphql(secret)]
    password: String,
    /// For those whose second factor is on: six digits of the app, or a recovery code, which is used up. Left out, the
    /// answer has a `challenge` for `completeLogin`.
    #[graphql(secret)]
    totp: Option<String>,
    /// The tenant to act in; the first one of the person when left out.
    tenant_id: Option<ID>,
}

/// Which session goes on.
#[derive(InputObject, Default)]
pub struct RefreshSessionInput {
    /// The refresh token of the last answer. Browsers leave it out and send the cookie instead, with the header
    /// `X-Kabar-Session: cookie`.
    #[graphql(secret)]
    refresh_token: Option<String>,
    /// Changes to another tenant of the person.
    tenant_id: Option<ID>,
}

/// A login that waits for a code.
#[derive(SimpleObject)]
pub struct LoginChallenge {
    /// Shows that the password was right; good for nothing else.
    token: String,
    /// When it ends: after five minutes, or when the password changes.
    expires_at: DateTime<Utc>,
}

/// A session, or why there is none.
#[derive(SimpleObject)]
pub struct SessionPayload {
    /// To be sent as `Authorization: Bearer …`. Lasts at most 15 minutes.
    access_token: Option<String>,
    /// To be given to `refreshSession` once; the answer has the next one. Null when it was put into the httpOnly cookie,
    /// which a request with the header `X-Kabar-Session: cookie` asks for.
    refresh_token: Option<String>,
    /// When the access token ends.
    expires_at: Option<DateTime<Utc>>,
    /// Who is logged in.
    viewer: Option<Viewer>,
    /// The password was right, and a code is missing: give both to `completeLogin`. Comes with SECOND_FACTOR_REQUIRED.
    challenge: Option<LoginChallenge>,
    /// Why there is no session: INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED (see `challenge`), INVALID_CODE,
    /// SESSION_EXPIRED, NOT_FOUND (tenant), FORBIDDEN (no tenant).
    user_errors: Vec<UserError>,
}

impl Payload<SessionPayload> for SessionPayload {
    fn accepted(payload: SessionPayload) -> Self {
        payload
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            access_token: None,
            refresh_token: None,
            expires_at: None,
            viewer: None,
            challenge: None,
            user_errors,
        }
    }
}

/// Whether the session has ended.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// True when nothing is left that could go on.
    success: bool,
    /// Empty.
    user_errors: Vec<UserError>,
}

impl Outcome for LogoutPayload {
    fn new(success: bool, user_errors: Vec<UserError>) -> Self {
        Self { success, user_errors }
    }
}

/// Mutations that begin, continue and end sessions.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Begins a session. Needs no authentication. A wrong password and an unknown address are told apart by nobody;
    /// after several failures RATE_LIMITED says when to try again. Somebody whose second factor is on gives a code too,
    /// here or in `completeLogin`.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Result<SessionPayload, GqlError> {
        let entrance = login(ctx, input).await;
        answer(entrance.map(|entrance| match entrance {
            Entrance::Session(session) => hand_out(ctx, *session),
            Entrance::Challenge(challenge) => ask_for_code(&challenge),
        }))
    }

    /// Goes on with a session: a new access token, and a new refresh token for the one given. Needs no access token.
    /// A refresh token that comes again after it was used ends its session.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        input: Option<RefreshSessionInput>,
    ) -> Result<SessionPayload, GqlError> {
        let session = refresh(ctx, input.unwrap_or_default()).await;
        answer(session.map(|session| hand_out(ctx, session)))
    }

    /// Ends this session at once, or with `everywhere` every session of the person. With an expired access token the
    /// cookie is enough.
    async fn logout(&self, ctx: &Context<'_>, everywhere: Option<bool>) -> Result<LogoutPayload, GqlError> {
        let everywhere = everywhere.unwrap_or(false);
        let cookie = Transport::of(ctx).and_then(|transport| transport.refresh_cookie.as_ref());
        let done = match (ctx.data_opt::<Principal>(), cookie) {
            (Some(principal), _) => accounts(ctx)?.logout(principal, everywhere).await,
            (None, Some(cookie)) => {
                accounts(ctx)?
                    .logout_by_token(cookie.expose(), everywhere, origin(ctx))
                    .await
            }
            (None, None) => return Err(GqlError::unauthenticated()),
        };
        change_cookie(ctx, CookieChange::Clear);
        answer(done)
    }
}

async fn login(ctx: &Context<'_>, input: LoginInput) -> Result<Entrance, Refusal> {
    let tenant = input
        .tenant_id
        .map(|id| ids::parse(&id, "tenant", "tenantId"))
        .transpose()?;
    accounts(ctx)?
        .login(
            &input.email,
            Secret::new(input.password),
            input.totp.as_deref(),
            tenant,
            origin(ctx),
        )
        .await
}

fn ask_for_code(challenge: &second_factor::Challenge) -> SessionPayload {
    let message = "Give the code of your authenticator app, too.";
    let wanted = UserError::new(ErrorCode::SecondFactorRequired, message).at("totp");
    SessionPayload {
        challenge: Some(LoginChallenge {
            token: challenge.token.expose().to_owned(),
            expires_at: challenge.expires_at,
        }),
        ..SessionPayload::refused(vec![wanted])
    }
}

async fn refresh(ctx: &Context<'_>, input: RefreshSessionInput) -> Result<Session, Refusal> {
    let tenant = input
        .tenant_id
        .map(|id| ids::parse(&id, "tenant", "tenantId"))
        .transpose()?;
    let cookie = Transport::of(ctx).and_then(|transport| transport.refresh_cookie.as_ref());
    let presented = input.refresh_token.as_deref().or(cookie.map(Secret::expose));
    let session = accounts(ctx)?.refresh(presented, tenant, origin(ctx)).await;
    if matches!(session, Err(Refusal::User(_))) && cookie.is_some() && tenant.is_none() {
        // The cookie is of no use any more.
        change_cookie(ctx, CookieChange::Clear);
    }
    session
}

/// Puts the refresh token where the client wants it: into the answer, or into the cookie.
pub(super) fn hand_out(ctx: &Context<'_>, session: Session) -> SessionPayload {
    if let Some(transport) = Transport::of(ctx) {
        transport.welcome();
    }
    let by_cookie = Transport::of(ctx).is_some_and(|transport| transport.wants_cookie);
    let refresh_token = session.refresh_token.expose().to_owned();
    if by_cookie {
        change_cookie(
            ctx,
            CookieChange::Set(Secret::new(refresh_token.clone()), session.refresh_expires_at),
        );
    }
    SessionPayload {
        access_token: Some(session.access_token.expose().to_owned()),
        refresh_token: (!by_cookie).then_some(refresh_token),
        expires_at: Some(session.expires_at),
        viewer: Some(Viewer::Person(session.identity)),
        challenge: None,
        user_errors: Vec::new(),
    }
}

fn change_cookie(ctx: &Context<'_>, change: CookieChange) {
    if let Some(transport) = Transport::of(ctx) {
        transport.change_cookie(change);
    }
}
