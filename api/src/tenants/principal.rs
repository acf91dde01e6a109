//! Who calls.

use std::sync::Arc;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use entity::{SessionId, TenantId, UserId, membership::Role};

use super::{permission::Permission, profile::Profile};
use crate::{
    audit::{Actor, Acts},
    graphql::{Fault, GqlError},
    store::{ScopeOrigin, Store, TenantScope},
};

/// An authenticated caller, acting in one tenant.
///
/// **Invariant:** only [`super::Authenticator`] makes one, from a verified token and living rows.
#[derive(Clone, Debug)]
pub struct Principal {
    user_id: UserId,
    session_id: SessionId,
    tenant_id: TenantId,
    role: Role,
    operator: bool,
    expires_at: DateTime<Utc>,
    actor: Actor,
    profile: Arc<Profile>,
}

/// A tenant that somebody may look into: a caller's own, or any for an operator.
#[derive(Clone, Copy, Debug)]
pub struct SeenTenant(TenantId);

impl ScopeOrigin for SeenTenant {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
}

impl Principal {
    pub(super) fn new(
        (user_id, session_id, tenant_id): (UserId, SessionId, TenantId),
        role: Role,
        operator: bool,
        expires_at: DateTime<Utc>,
        actor: Actor,
        profile: Arc<Profile>,
    ) -> Self {
        Self {
            user_id,
            session_id,
            tenant_id,
            role,
            operator,
            expires_at,
            actor,
            profile,
        }
    }

    /// The same caller, with the tenant as it is now.
    pub(super) fn with_profile(mut self, profile: Arc<Profile>) -> Self {
        self.profile = profile;
        self
    }

    /// The tenant, as it was at most a second ago.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The figures of a tenant: the caller's own, or any for an operator.
    pub fn look_into(&self, tenant: TenantId) -> Result<SeenTenant, GqlError> {
        if tenant == self.tenant_id || self.operator {
            Ok(SeenTenant(tenant))
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// The person.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The login.
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// The role in the tenant.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the person runs the platform.
    pub fn is_operator(&self) -> bool {
        self.operator
    }

    /// When the access token ends.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Refuses everybody who does not run the platform.
    pub fn require_operator(&self) -> Result<(), GqlError> {
        if self.operator {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// Refuses callers whose role does not include `permission`, and all but reading in a suspended tenant.
    pub fn require(&self, permission: Permission) -> Result<(), GqlError> {
        if !permission.is_of(self.role) {
            return Err(GqlError::forbidden());
        }
        if permission != Permission::Read && !self.profile.is_active() {
            return Err(Fault::TenantSuspended.into());
        }
        Ok(())
    }
}

impl Acts for Principal {
    fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl ScopeOrigin for Principal {
    fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }
}

/// The caller of this request, or UNAUTHENTICATED.
pub fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal, GqlError> {
    ctx.data_opt::<Principal>().ok_or_else(GqlError::unauthenticated)
}

/// What the caller of this request may see and change.
pub fn scope(ctx: &Context<'_>) -> Result<TenantScope, GqlError> {
    let principal = principal(ctx)?;
    let store = ctx
        .data_opt::<Store>()
        .ok_or_else(|| GqlError::internal("the schema holds no store"))?;
    Ok(store.scope(principal))
}
