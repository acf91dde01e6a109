//! The platform's settings in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    schema::platform,
    settings::{RateWish, SettingsWish},
};
use crate::{
    graphql::{GqlError, Payload, Refusal, UserError, answer, scalars::BigInt},
    rates::{Rule, Values},
    tenants::principal,
};

/// What operators set while the server runs. Kept in the database; what was never set is the configuration's.
#[derive(Clone, SimpleObject)]
pub struct PlatformSettings {
    /// Every rule with its limit.
    rate_limits: Vec<RateLimitView>,
    /// Where the webhooks of tenants go that name no address of their own.
    webhook_default_url: Option<String>,
    /// When something was last set; null when everything is the configuration's.
    updated_at: Option<DateTime<Utc>>,
}

/// At most so many in so long a time.
#[derive(Clone, SimpleObject)]
#[graphql(name = "RateLimit")]
pub struct RateLimitView {
    /// What is counted.
    rule: Rule,
    /// How many; null is no limit.
    limit: Option<BigInt>,
    /// How long a window is. Windows begin at multiples of it.
    window_seconds: BigInt,
}

impl From<Arc<Values>> for PlatformSettings {
    fn from(values: Arc<Values>) -> Self {
        let rate_limits = values.limits.values().map(|limit| RateLimitView {
            rule: limit.rule,
            limit: limit.most.map(BigInt),
            window_seconds: BigInt(i64::try_from(limit.window.as_secs()).unwrap_or(i64::MAX)),
        });
        Self {
            rate_limits: rate_limits.collect(),
            webhook_default_url: values.webhook_default_url.clone(),
            updated_at: values.updated_at,
        }
    }
}

/// A rule's new limit.
#[derive(InputObject)]
pub struct RateLimitInput {
    /// What is counted.
    rule: Rule,
    /// From 1 to 2⁵³; null or left out is no limit, which failed logins cannot have.
    limit: Option<BigInt>,
    /// From 1 to 86,400; what it was when left out.
    window_seconds: Option<BigInt>,
}

/// What changes; what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdatePlatformSettingsInput {
    /// Only the rules that change.
    rate_limits: Option<Vec<RateLimitInput>>,
    /// Null or empty removes it.
    webhook_default_url: MaybeUndefined<String>,
}

/// The settings as they are now.
#[derive(SimpleObject)]
pub struct PlatformSettingsPayload {
    /// Null when it was refused.
    settings: Option<PlatformSettings>,
    /// INVALID_INPUT.
    user_errors: Vec<UserError>,
}

impl Payload<Arc<Values>> for PlatformSettingsPayload {
    fn accepted(values: Arc<Values>) -> Self {
        Self {
            settings: Some(values.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            settings: None,
            user_errors,
        }
    }
}

/// The platform's settings as operators read them.
#[derive(Default)]
pub struct PlatformSettingsQuery;

#[Object]
impl PlatformSettingsQuery {
    /// What operators set while the server runs.
    async fn settings(&self, ctx: &Context<'_>) -> Result<PlatformSettings, GqlError> {
        std::future::ready(platform(ctx)?.settings(principal(ctx)?).map(PlatformSettings::from)).await
    }
}

/// Changes of the platform's settings.
#[derive(Default)]
pub struct PlatformSettingsMutation;

#[Object]
impl PlatformSettingsMutation {
    /// Changes rate limits and defaults, without a restart, on every server within two seconds. Operators only.
    async fn update_platform_settings(
        &self,
        ctx: &Context<'_>,
        input: UpdatePlatformSettingsInput,
    ) -> Result<PlatformSettingsPayload, GqlError> {
        answer(update(ctx, input).await)
    }
}

async fn update(ctx: &Context<'_>, input: UpdatePlatformSettingsInput) -> Result<Arc<Values>, Refusal> {
    let limits = input.rate_limits.unwrap_or_default().into_iter();
    let wish = SettingsWish {
        limits: limits
            .map(|limit| RateWish {
                rule: limit.rule,
                most: limit.limit.map(|limit| limit.0),
                window_seconds: limit.window_seconds.map(|seconds| seconds.0),
            })
            .collect(),
        webhook_default_url: match input.webhook_default_url {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(String::new()),
            MaybeUndefined::Value(url) => Some(url),
        },
    };
    platform(ctx)?.update_settings(principal(ctx)?, wish).await
}
