//! Making, changing and revoking tokens.

use async_graphql::MaybeUndefined;
use chrono::{DateTime, Utc};
use entity::{ApiTokenId, DeviceId, api_token};
use sea_orm::{ActiveValue::Set, ColumnTrait};
use serde_json::{Value, json};

use super::{
    queries,
    types::{TokenSecret, devices_of, parse_expiry, parse_limits, parse_name, parse_networks, parse_scopes},
};
use crate::{
    audit::{self, Action, Entry},
    clock::{Clock, new_id},
    graphql::{
        GqlError, Refusal, UserError,
        pagination::{Page, Rows},
    },
    store::{Store, TenantScope, TenantTx},
    tenants::{Authenticator, Meter, Permission, Principal, permission::Scope},
};

/// The tokens of every tenant, as far as the caller may manage them. Cheap to clone.
#[derive(Clone)]
pub struct ApiTokens {
    store: Store,
    clock: Clock,
    authenticator: Authenticator,
}

/// What a new token is given.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<DateTime<Utc>>,
    pub device_ids: Option<Vec<DeviceId>>,
    pub allowed_networks: Vec<String>,
    pub limits: Vec<(Meter, Option<i64>)>,
}

/// What changes about a token; `None` and undefined leave it as it is.
#[derive(Clone, Debug, Default)]
pub struct ApiTokenChange {
    pub name: Option<String>,
    pub scopes: Option<Vec<Scope>>,
    pub expires_at: MaybeUndefined<DateTime<Utc>>,
    pub device_ids: MaybeUndefined<Vec<DeviceId>>,
    pub allowed_networks: Option<Vec<String>>,
    pub limits: Option<Vec<(Meter, Option<i64>)>>,
}

impl ApiTokens {
    /// Brings the parts together.
    pub fn new(store: Store, clock: Clock, authenticator: Authenticator) -> Self {
        Self {
            store,
            clock,
            authenticator,
        }
    }

    /// What a caller who may manage tokens lists and counts them in.
    pub fn scope(&self, caller: &Principal) -> Result<TenantScope, GqlError> {
        caller.require_to_see(Permission::ManageApiTokens)?;
        Ok(self.store.scope(caller))
    }

    /// A page of tokens, newest first, in what [`ApiTokens::scope`] has given.
    pub async fn list(&self, scope: &TenantScope, page: &Page<ApiTokenId>) -> Result<Rows<api_token::Model>, GqlError> {
        let mut rows = queries::list(scope, page).await?;
        for row in &mut rows.rows {
            self.bring_up_to_date(row);
        }
        Ok(rows)
    }

    /// A token of the tenant.
    pub async fn find(&self, caller: &Principal, id: ApiTokenId) -> Result<Option<api_token::Model>, GqlError> {
        let mut row = queries::find(&self.scope(caller)?, id).await?;
        if let Some(row) = &mut row {
            self.bring_up_to_date(row);
        }
        Ok(row)
    }

    /// The caller's own token.
    pub async fn own(&self, caller: &Principal) -> Result<Option<api_token::Model>, GqlError> {
        match caller.api_token() {
            Some(id) => Ok(queries::find(&self.store.scope(caller), id).await?),
            None => Ok(None),
        }
    }

    /// Makes a token. Its secret is answered here and nowhere else.
    pub async fn create(
        &self,
        caller: &Principal,
        new: NewApiToken,
    ) -> Result<(api_token::Model, TokenSecret), Refusal> {
        caller.require(Permission::ManageApiTokens)?;
        let now = self.clock.now();
        let name = parse_name(&new.name)?;
        let scopes = parse_scopes(&new.scopes)?;
        let expires_at = new.expires_at.map(|at| parse_expiry(at, now)).transpose()?;
        let networks = parse_networks(&new.allowed_networks)?;
        let limits = parse_limits(new.limits)?;
        let secret = TokenSecret::random();
        let tx = self.store.scope(caller).begin().await?;
        check_devices(&tx, new.device_ids.as_deref(), &scopes).await?;
        let row = api_token::ActiveModel {
            id: Set(new_id()),
            tenant_id: Set(tx.tenant_id()),
            name: Set(name),
            prefix: Set(secret.prefix().to_owned()),
            secret_hash: Set(secret.hash()),
            scopes: Set(names(&scopes)),
            device_ids: Set(new.device_ids.as_deref().map(ids)),
            allowed_networks: Set(networks.into()),
            limits: Set(Some(limits.write())),
            created_by: Set(caller.person().map(|person| person.user_id)),
            created_at: Set(now),
            expires_at: Set(expires_at),
            revoked_at: Set(None),
            last_used_at: Set(None),
            last_used_address: Set(None),
        };
        let row = tx.insert::<api_token::Entity, _>(row).await?;
        let entry = entry(Action::ApiTokenCreated, &row).with(settings(&row));
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        Ok((row, secret))
    }

    /// Changes what a token may do. It counts within a second, on every node.
    pub async fn update(
        &self,
        caller: &Principal,
        id: ApiTokenId,
        change: ApiTokenChange,
    ) -> Result<api_token::Model, Refusal> {
        use api_token::Column;
        caller.require(Permission::ManageApiTokens)?;
        let now = self.clock.now();
        let name = change.name.as_deref().map(parse_name).transpose()?;
        let scopes = change.scopes.as_deref().map(parse_scopes).transpose()?;
        let expires_at = match change.expires_at {
            MaybeUndefined::Value(at) => Some(Some(parse_expiry(at, now)?)),
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Undefined => None,
        };
        let networks = change.allowed_networks.as_deref().map(parse_networks).transpose()?;
        let limits = change.limits.map(parse_limits).transpose()?;
        let tx = self.store.scope(caller).begin().await?;
        let before = living(&tx, id).await?;
        let scopes = scopes.unwrap_or_else(|| super::types::scopes_of(&before));
        let devices = match change.device_ids {
            MaybeUndefined::Value(devices) => Some(devices),
            MaybeUndefined::Null => None,
            MaybeUndefined::Undefined => devices_of(&before),
        };
        check_devices(&tx, devices.as_deref(), &scopes).await?;
        let mut update = tx
            .update::<api_token::Entity>()
            .set(Column::Scopes, names(&scopes))
            .set(Column::DeviceIds, devices.as_deref().map(ids));
        if let Some(name) = name {
            update = update.set(Column::Name, name);
        }
        if let Some(expires_at) = expires_at {
            update = update.set(Column::ExpiresAt, expires_at);
        }
        if let Some(networks) = networks {
            update = update.set(Column::AllowedNetworks, Value::from(networks));
        }
        if let Some(limits) = limits {
            update = update.set(Column::Limits, limits.write());
        }
        let still = Column::RevokedAt.is_null();
        let changed = update.filter(Column::Id.eq(id)).filter(still).returning().await?;
        let row = changed.into_iter().next().ok_or_else(none)?;
        let entry = entry(Action::ApiTokenUpdated, &row).changed(settings(&before), settings(&row));
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        self.authenticator.forget_token(id);
        Ok(row)
    }

    /// Ends a token for ever: at once on this node, within a second on the others. A revoked one stays revoked.
    pub async fn revoke(&self, caller: &Principal, id: ApiTokenId) -> Result<api_token::Model, Refusal> {
        use api_token::Column;
        caller.require(Permission::ManageApiTokens)?;
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let revoked = tx
            .update::<api_token::Entity>()
            .set(Column::RevokedAt, now)
            .filter(Column::Id.eq(id))
            .filter(Column::RevokedAt.is_null())
            .returning()
            .await?;
        let Some(row) = revoked.into_iter().next() else {
            let row = tx.find_by_id::<api_token::Entity>(id).await?;
            return row.ok_or_else(|| none().into());
        };
        audit::record(&tx, now, caller, entry(Action::ApiTokenRevoked, &row)).await?;
        tx.commit().await?;
        self.authenticator.forget_token(id);
        Ok(row)
    }

    /// Adds what this node has not written down yet.
    fn bring_up_to_date(&self, row: &mut api_token::Model) {
        if let Some((at, address)) = self.authenticator.uses().of(row.id)
            && row.last_used_at.is_none_or(|last| last < at)
        {
            row.last_used_at = Some(at);
            row.last_used_address = address.map(|address| address.to_string());
        }
    }
}

async fn living(tx: &TenantTx, id: ApiTokenId) -> Result<api_token::Model, Refusal> {
    let row = tx.find_by_id::<api_token::Entity>(id).await?;
    Ok(row.filter(|row| row.revoked_at.is_none()).ok_or_else(none)?)
}

/// The devices exist, and the scopes make sense for some of them only.
async fn check_devices(tx: &TenantTx, devices: Option<&[DeviceId]>, scopes: &[Scope]) -> Result<(), Refusal> {
    let Some(devices) = devices else { return Ok(()) };
    if devices.is_empty() || devices.len() > 200 {
        let message = "Give 1 to 200 devices, or leave them out for every device.";
        return Err(UserError::invalid("deviceIds", message).into());
    }
    if scopes.contains(&Scope::Admin) {
        let message = "The scope ADMIN concerns the whole tenant: a token of some devices can't have it.";
        return Err(UserError::invalid("scopes", message).into());
    }
    let mut distinct = devices.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if queries::count_devices(tx, &distinct).await? != distinct.len() as u64 {
        return Err(UserError::not_found("device").at("deviceIds").into());
    }
    Ok(())
}

fn names(scopes: &[Scope]) -> Value {
    scopes.iter().map(|scope| Value::from(scope.as_str())).collect()
}

fn ids(devices: &[DeviceId]) -> Value {
    devices.iter().map(|id| Value::from(id.to_string())).collect()
}

fn none() -> UserError {
    UserError::not_found("API token").at("id")
}

fn entry(action: Action, row: &api_token::Model) -> Entry {
    Entry::of(action, &row.id).named(&row.name)
}

fn settings(row: &api_token::Model) -> Value {
    json!({
        "name": row.name, "scopes": row.scopes, "expiresAt": row.expires_at,
        "deviceIds": row.device_ids, "allowedNetworks": row.allowed_networks, "limits": row.limits,
    })
}
