//! The second factor in GraphQL.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::service::{Enrollment, SETUP};
use crate::{
    clock::Clock,
    graphql::{GqlError, Outcome, Payload, Refusal, UserError, answer},
    pictures,
    secret::Secret,
    tenants::{
        principal,
        schema::{accounts, origin},
        session_schema::{SessionPayload, hand_out},
    },
};

/// Whether a code of an authenticator app is asked for when the person logs in.
#[derive(SimpleObject)]
pub struct SecondFactor {
    /// Whether it is on.
    enabled: bool,
    /// Since when it is on.
    enabled_at: Option<DateTime<Utc>>,
    /// How many recovery codes can still be used, of ten. 0 when it is off.
    recovery_codes_left: i32,
}

impl SecondFactor {
    /// From what is known of a person.
    pub fn of(state: Option<(DateTime<Utc>, u64)>) -> Self {
        Self {
            enabled: state.is_some(),
            enabled_at: state.map(|(since, _)| since),
            recovery_codes_left: state.map_or(0, |(_, left)| i32::try_from(left).unwrap_or(i32::MAX)),
        }
    }
}

/// What an authenticator app needs. It counts once `confirmSecondFactor` was given the app's first code.
#[derive(SimpleObject)]
pub struct SecondFactorEnrollment {
    /// Base32 without padding, for apps without a camera. SHA-1, 6 digits, 30 seconds.
    secret: String,
    /// `otpauth://totp/…`: what the pictures say.
    uri: String,
    /// The picture as an SVG document.
    qr_svg: String,
    /// The picture as a `data:image/png;base64,…` URL.
    qr_png: String,
    /// Until when it can be confirmed: fifteen minutes.
    expires_at: DateTime<Utc>,
}

/// Shows that it is you.
#[derive(InputObject)]
pub struct EnrollSecondFactorInput {
    /// The caller's password.
    #[graphql(secret)]
    current_password: String,
}

/// The first code of the app.
#[derive(InputObject)]
pub struct ConfirmSecondFactorInput {
    /// Six digits; spaces don't matter.
    #[graphql(secret)]
    code: String,
}

/// Shows that it is you, by both factors.
#[derive(InputObject)]
pub struct SecondFactorInput {
    /// The caller's password.
    #[graphql(secret)]
    current_password: String,
    /// Six digits of the app, or a recovery code, which is used up.
    #[graphql(secret)]
    code: String,
}

/// The second step of a login.
#[derive(InputObject)]
pub struct CompleteLoginInput {
    /// `challenge.token` of `login`.
    #[graphql(secret)]
    challenge: String,
    /// Six digits of the app, or a recovery code, which is used up.
    #[graphql(secret)]
    code: String,
}

/// A secret for an authenticator app.
#[derive(SimpleObject)]
pub struct EnrollSecondFactorPayload {
    /// Null when it was refused.
    enrollment: Option<SecondFactorEnrollment>,
    /// INVALID_CREDENTIALS, or CONFLICT when the second factor is on.
    user_errors: Vec<UserError>,
}

impl Payload<SecondFactorEnrollment> for EnrollSecondFactorPayload {
    fn accepted(enrollment: SecondFactorEnrollment) -> Self {
        Self {
            enrollment: Some(enrollment),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            enrollment: None,
            user_errors,
        }
    }
}

/// Recovery codes.
#[derive(SimpleObject)]
pub struct RecoveryCodesPayload {
    /// Ten codes, each good for one login without the app. Shown this once; earlier ones have ended. Null when refused.
    recovery_codes: Option<Vec<String>>,
    /// INVALID_CODE, INVALID_CREDENTIALS, or CONFLICT when there is nothing to confirm or the second factor is off.
    user_errors: Vec<UserError>,
}

impl Payload<Vec<Secret>> for RecoveryCodesPayload {
    fn accepted(codes: Vec<Secret>) -> Self {
        let shown = codes.iter().map(|code| code.expose().to_owned());
        Self {
            recovery_codes: Some(shown.collect()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            recovery_codes: None,
            user_errors,
        }
    }
}

/// Whether the second factor is off.
#[derive(SimpleObject)]
pub struct DisableSecondFactorPayload {
    /// True when a password is enough from now on.
    success: bool,
    /// INVALID_CODE, INVALID_CREDENTIALS, or CONFLICT when it was off already.
    user_errors: Vec<UserError>,
}

impl Outcome for DisableSecondFactorPayload {
    fn new(success: bool, user_errors: Vec<UserError>) -> Self {
        Self { success, user_errors }
    }
}

/// Mutations of one's own second factor.
#[derive(Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Ends a login that waits for a code (`SessionPayload.challenge`). Needs no authentication. Refused with INVALID_CODE,
    /// or with SESSION_EXPIRED when the login must begin again; after several wrong codes RATE_LIMITED.
    async fn complete_login(&self, ctx: &Context<'_>, input: CompleteLoginInput) -> Result<SessionPayload, GqlError> {
        let session = accounts(ctx)?
            .complete_login(&input.challenge, &input.code, origin(ctx))
            .await;
        answer(session.map(|session| hand_out(ctx, session)))
    }

    /// Makes a secret for an authenticator app. For people, not for API tokens. Sessions go on.
    async fn enroll_second_factor(
        &self,
        ctx: &Context<'_>,
        input: EnrollSecondFactorInput,
    ) -> Result<EnrollSecondFactorPayload, GqlError> {
        answer(enroll(ctx, input).await)
    }

    /// Turns the second factor on by the app's first code, and gives the recovery codes. Other sessions go on.
    async fn confirm_second_factor(
        &self,
        ctx: &Context<'_>,
        input: ConfirmSecondFactorInput,
    ) -> Result<RecoveryCodesPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(accounts(ctx)?.confirm_second_factor(caller, &input.code).await)
    }

    /// Makes ten new recovery codes; the old ones end.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        input: SecondFactorInput,
    ) -> Result<RecoveryCodesPayload, GqlError> {
        let (caller, password) = (principal(ctx)?, Secret::new(input.current_password));
        answer(accounts(ctx)?.renew_recovery_codes(caller, password, &input.code).await)
    }

    /// Turns the second factor off; its secret and recovery codes are deleted.
    async fn disable_second_factor(
        &self,
        ctx: &Context<'_>,
        input: SecondFactorInput,
    ) -> Result<DisableSecondFactorPayload, GqlError> {
        let (caller, password) = (principal(ctx)?, Secret::new(input.current_password));
        answer(
            accounts(ctx)?
                .disable_second_factor(caller, password, &input.code)
                .await,
        )
    }
}

async fn enroll(ctx: &Context<'_>, input: EnrollSecondFactorInput) -> Result<SecondFactorEnrollment, Refusal> {
    let (caller, password) = (principal(ctx)?, Secret::new(input.current_password));
    let Enrollment { secret, uri } = accounts(ctx)?.enroll_second_factor(caller, password).await?;
    let undrawn = || GqlError::internal("a code could not be drawn");
    Ok(SecondFactorEnrollment {
        secret: secret.expose().to_owned(),
        qr_svg: pictures::svg(uri.expose()).ok_or_else(undrawn)?,
        qr_png: pictures::png_url(uri.expose()).ok_or_else(undrawn)?,
        uri: uri.expose().to_owned(),
        expires_at: ctx.data_unchecked::<Clock>().now() + SETUP,
    })
}
