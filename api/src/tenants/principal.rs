//! Who calls.

use async_graphql::Context;
use chrono::{DateTime, Utc};
use entity::{SessionId, TenantId, UserId, membership::Role};

use super::permission::Permission;
use crate::{
    audit::{Actor, Acts},
    graphql::GqlError,
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
}

impl Principal {
    pub(super) fn new(
        (user_id, session_id, tenant_id): (UserId, SessionId, TenantId),
        role: Role,
        operator: bool,
        expires_at: DateTime<Utc>,
        actor: Actor,
    ) -> Self {
        Self {
            user_id,
            session_id,
            tenant_id,
            role,
            operator,
            expires_at,
            actor,
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

    /// Refuses callers whose role does not include `permission`.
    pub fn require(&self, permission: Permission) -> Result<(), GqlError> {
        if permission.is_of(self.role) {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
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
