//! API tokens in GraphQL.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{ApiTokenId, DeviceId, api_token};

use super::{
    queries,
    service::{ApiTokenChange, ApiTokens, NewApiToken},
    types::{TokenSecret, devices_of, limits_of, networks_of, scopes_of},
};
use crate::{
    clock::Clock,
    graphql::{
        GqlError, Payload, UserError, answer,
        ids::parse,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    tenants::{
        permission::Scope,
        principal,
        views::{MeterLimit, MeterLimitInput},
    },
};

/// How a program acts for the tenant: with `Authorization: Bearer kbt_…`, on websockets in `connection_init`.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct ApiToken {
    /// Opaque id, `tok_…`.
    pub id: ID,
    /// How people call it.
    name: String,
    /// The beginning of the secret, by which it is recognised.
    prefix: String,
    /// What it may do.
    scopes: Vec<Scope>,
    /// The only devices that it may see and use; null is every device. A deleted device stays in the list.
    device_ids: Option<Vec<ID>>,
    /// The only addresses and networks (CIDR) that it may be used from; empty is everywhere.
    allowed_networks: Vec<String>,
    /// What it may use by itself, within what the tenant may; a meter that is not here has no limit of its own. How much
    /// it has used stands in its own `viewer.limits`.
    limits: Vec<MeterLimit>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends by itself; null is never.
    expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
    /// When it was used last; other nodes tell at most a minute late.
    last_used_at: Option<DateTime<Utc>>,
    /// The address that it was used from last.
    last_used_address: Option<String>,
}

#[async_graphql::ComplexObject]
impl ApiToken {
    /// Whether it can be used: neither revoked nor expired.
    async fn active(&self, ctx: &Context<'_>) -> bool {
        let now = ctx.data_unchecked::<Clock>().now();
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl From<api_token::Model> for ApiToken {
    fn from(row: api_token::Model) -> Self {
        let devices = devices_of(&row);
        Self {
            id: ID(row.id.to_string()),
            scopes: scopes_of(&row),
            device_ids: devices.map(|ids| ids.iter().map(|id| ID(id.to_string())).collect()),
            allowed_networks: networks_of(&row),
            limits: MeterLimit::list(&limits_of(&row)),
            name: row.name,
            prefix: row.prefix,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            last_used_address: row.last_used_address,
        }
    }
}

impl ApiToken {
    /// A token of the caller's tenant, for those who may manage them.
    pub async fn find(ctx: &Context<'_>, id: ApiTokenId) -> Result<Option<Self>, GqlError> {
        Ok(tokens(ctx).find(principal(ctx)?, id).await?.map(Self::from))
    }
}

/// Queries of API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The tenant's API tokens, newest first, revoked ones too. Needs the role OWNER or ADMIN.
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<ApiToken>, GqlError> {
        let scope = tokens(ctx).scope(principal(ctx)?)?;
        let page = PageArguments::new(first, after, last, before);
        let rows = tokens(ctx).list(&scope, &page.parse()?).await?;
        let total = TotalCount::by(move || {
            let scope = scope.clone();
            async move { Ok(queries::count(&scope).await?) }
        });
        Ok(counted(rows, total, |row| (row.id, ApiToken::from(row))))
    }
}

/// A new API token.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// 1–120 characters.
    name: String,
    /// What it may do: at least one.
    scopes: Vec<Scope>,
    /// When it ends by itself, at most ten years away; never when left out.
    expires_at: Option<DateTime<Utc>>,
    /// The only devices that it may see and use, 1–200; every device when left out.
    device_ids: Option<Vec<ID>>,
    /// The only addresses and networks (CIDR, such as `203.0.113.0/24`) that it may be used from, at most 50; everywhere
    /// when left out.
    allowed_networks: Option<Vec<String>>,
    /// What it may use by itself, within what the tenant may: MESSAGES_PER_DAY, MESSAGES_PER_MONTH and
    /// CAMPAIGN_RECIPIENTS_PER_DAY can be limited; the tenant alone limits what is left out.
    limits: Option<Vec<MeterLimitInput>>,
}

/// Changes of an API token: what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateApiTokenInput {
    /// Which one. A revoked token can't be changed.
    id: ID,
    /// 1–120 characters.
    name: Option<String>,
    /// They replace the old ones.
    scopes: Option<Vec<Scope>>,
    /// Null is never.
    expires_at: MaybeUndefined<DateTime<Utc>>,
    /// They replace the old ones; null is every device.
    device_ids: MaybeUndefined<Vec<ID>>,
    /// They replace the old ones; empty is everywhere.
    allowed_networks: Option<Vec<String>>,
    /// They replace the old ones; empty is none of its own. What is used of the current day and month stays used.
    limits: Option<Vec<MeterLimitInput>>,
}

/// A new API token with its secret.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token; null when it was refused.
    api_token: Option<ApiToken>,
    /// What the program sends, `kbt_…`. It is shown this once: nobody can read it again.
    secret: Option<String>,
    /// Why it was refused: INVALID_INPUT, NOT_FOUND (a device).
    user_errors: Vec<UserError>,
}

impl Payload<(api_token::Model, TokenSecret)> for CreateApiTokenPayload {
    fn accepted((row, secret): (api_token::Model, TokenSecret)) -> Self {
        Self {
            api_token: Some(row.into()),
            secret: Some(secret.expose().to_owned()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            api_token: None,
            secret: None,
            user_errors,
        }
    }
}

/// What became of an API token.
#[derive(SimpleObject)]
pub struct ApiTokenPayload {
    /// The token as it is now; null when it was refused.
    api_token: Option<ApiToken>,
    /// Why it was refused: NOT_FOUND, INVALID_INPUT.
    user_errors: Vec<UserError>,
}

impl Payload<api_token::Model> for ApiTokenPayload {
    fn accepted(row: api_token::Model) -> Self {
        Self {
            api_token: Some(row.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            api_token: None,
            user_errors,
        }
    }
}

/// Mutations of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token. Needs the role OWNER or ADMIN; no API token can make another.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { tokens(ctx).create(caller, input.try_into()?).await }.await)
    }

    /// Changes an API token. It counts within a second; open websockets of the token are closed. Needs the role OWNER or
    /// ADMIN.
    async fn update_api_token(
        &self,
        ctx: &Context<'_>,
        input: UpdateApiTokenInput,
    ) -> Result<ApiTokenPayload, GqlError> {
        let caller = principal(ctx)?;
        let id = parse(&input.id, "API token", "id");
        answer(async { tokens(ctx).update(caller, id?, input.try_into()?).await }.await)
    }

    /// Ends an API token for ever, within a second; open websockets of the token are closed. Needs the role OWNER or
    /// ADMIN.
    async fn revoke_api_token(&self, ctx: &Context<'_>, id: ID) -> Result<ApiTokenPayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { tokens(ctx).revoke(caller, parse(&id, "API token", "id")?).await }.await)
    }
}

impl TryFrom<CreateApiTokenInput> for NewApiToken {
    type Error = UserError;

    fn try_from(input: CreateApiTokenInput) -> Result<Self, UserError> {
        Ok(Self {
            name: input.name,
            scopes: input.scopes,
            expires_at: input.expires_at,
            device_ids: input.device_ids.as_deref().map(devices).transpose()?,
            allowed_networks: input.allowed_networks.unwrap_or_default(),
            limits: MeterLimitInput::pairs(input.limits.unwrap_or_default()).collect(),
        })
    }
}

impl TryFrom<UpdateApiTokenInput> for ApiTokenChange {
    type Error = UserError;

    fn try_from(input: UpdateApiTokenInput) -> Result<Self, UserError> {
        let device_ids = match input.device_ids {
            MaybeUndefined::Undefined => MaybeUndefined::Undefined,
            MaybeUndefined::Null => MaybeUndefined::Null,
            MaybeUndefined::Value(ids) => MaybeUndefined::Value(devices(&ids)?),
        };
        Ok(Self {
            name: input.name,
            scopes: input.scopes,
            expires_at: input.expires_at,
            device_ids,
            allowed_networks: input.allowed_networks,
            limits: input.limits.map(|limits| MeterLimitInput::pairs(limits).collect()),
        })
    }
}

fn devices(ids: &[ID]) -> Result<Vec<DeviceId>, UserError> {
    ids.iter().map(|id| parse(id, "device", "deviceIds")).collect()
}

fn tokens<'a>(ctx: &Context<'a>) -> &'a ApiTokens {
    ctx.data_unchecked::<ApiTokens>()
}
