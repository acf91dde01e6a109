//! Who calls.

use std::sync::Arc;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use entity::{ApiTokenId, DeviceId, SessionId, TenantId, UserId, audit_entry::ActorKind, membership::Role};

use super::{api_tokens::TokenStanding, permission::Permission, profile::Profile, quota::Budget, types::Grant};
use crate::{
    audit::{Actor, Acts},
    graphql::{Fault, GqlError},
    store::{ScopeOrigin, Store, TenantScope},
};

/// An authenticated caller, acting in one tenant: a person who is logged in, or a program with an API token.
///
/// **Invariant:** only [`super::Authenticator`] makes one, from a verified token and living rows.
#[derive(Clone, Debug)]
pub struct Principal {
    caller: Caller,
    tenant_id: TenantId,
    expires_at: DateTime<Utc>,
    actor: Actor,
    profile: Arc<Profile>,
    grant: Option<Grant>,
}

/// A tenant that somebody may look into: a caller's own, or any for an operator.
#[derive(Clone, Copy, Debug)]
pub struct SeenTenant(TenantId);

impl ScopeOrigin for SeenTenant {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
}

#[derive(Clone, Debug)]
enum Caller {
    Person(Person),
    Program(Arc<TokenStanding>),
}

/// A person with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user_id: UserId,
    /// The login.
    pub session_id: SessionId,
    /// The role in the tenant.
    pub role: Role,
    /// Whether the person runs the platform.
    pub operator: bool,
}

impl Principal {
    pub(super) fn of_person(
        person: Person,
        tenant_id: TenantId,
        expires_at: DateTime<Utc>,
        actor: Actor,
        profile: Arc<Profile>,
    ) -> Self {
        Self {
            caller: Caller::Person(person),
            tenant_id,
            expires_at,
            actor,
            profile,
            grant: None,
        }
    }

    /// The same person as an operator who is let in, for as long as the grant lasts.
    pub(super) fn under(mut self, grant: Option<Grant>) -> Self {
        if let Some(grant) = grant {
            self.expires_at = self.expires_at.min(grant.expires_at);
            self.actor = self.actor.under(&grant.id);
        }
        self.grant = grant;
        self
    }

    /// What lets the caller into a tenant that the caller does not belong to. Only operators have one.
    pub fn grant(&self) -> Option<Grant> {
        self.grant
    }

    /// The caller as one who runs the platform, for the logs of tenants that the caller does not belong to.
    pub fn as_operator(&self) -> Actor {
        Actor {
            kind: ActorKind::Operator,
            ..self.actor.clone()
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
        if tenant == self.tenant_id || self.is_operator() {
            Ok(SeenTenant(tenant))
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// What was agreed with a tenant: for operators, and for those of its own who may change its settings. In a suspended
    /// tenant, too.
    pub fn look_into_terms(&self, tenant: TenantId) -> Result<(), GqlError> {
        let own = tenant == self.tenant_id && self.may(Permission::ManageTenant);
        if own || self.is_operator() {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
    }

    pub(super) fn of_program(token: Arc<TokenStanding>, actor: Actor, profile: Arc<Profile>) -> Self {
        Self {
            tenant_id: token.tenant_id,
            expires_at: token.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
            caller: Caller::Program(token),
            actor,
            profile,
            grant: None,
        }
    }

    /// The person, when it is one.
    pub fn person(&self) -> Option<Person> {
        match &self.caller {
            Caller::Person(person) => Some(*person),
            Caller::Program(_) => None,
        }
    }

    /// The person, or FORBIDDEN for programs: what concerns somebody's own account.
    pub fn require_person(&self) -> Result<Person, GqlError> {
        self.person().ok_or_else(GqlError::forbidden)
    }

    /// The API token, when it is one.
    pub fn api_token(&self) -> Option<ApiTokenId> {
        self.token().map(|token| token.id)
    }

    /// What the API token may use by itself, when it has limits of its own.
    pub fn budget(&self) -> Option<Arc<Budget>> {
        let token = self.token().filter(|token| !token.limits.is_empty())?;
        Some(Arc::new(Budget::new(token.id, token.limits.clone())))
    }

    pub(super) fn token(&self) -> Option<&Arc<TokenStanding>> {
        match &self.caller {
            Caller::Person(_) => None,
            Caller::Program(token) => Some(token),
        }
    }

    /// Whether the caller is a person who runs the platform.
    pub fn is_operator(&self) -> bool {
        self.person().is_some_and(|person| person.operator)
    }

    /// When the access token ends.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Refuses everybody who does not run the platform.
    pub fn require_operator(&self) -> Result<(), GqlError> {
        if self.is_operator() {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// Whether the caller's role or scopes include `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.caller {
            Caller::Person(person) => permission.is_held(person.role, self.grant.is_some()),
            Caller::Program(token) => permission.is_in(&token.scopes),
        }
    }

    /// Refuses callers who may see some devices only: what concerns all of them.
    pub fn require_every_device(&self) -> Result<(), GqlError> {
        if self.devices().is_none() {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// Refuses callers whose role or scopes do not include `permission`, whatever the tenant's state: for looking at what
    /// only they may change.
    pub fn require_to_see(&self, permission: Permission) -> Result<(), GqlError> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(GqlError::forbidden())
        }
    }

    /// Refuses callers whose role or scopes do not include `permission`, and all but reading in a suspended tenant.
    pub fn require(&self, permission: Permission) -> Result<(), GqlError> {
        self.require_to_see(permission)?;
        if !permission.only_reads() && !self.profile.is_active() {
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

    fn devices(&self) -> Option<Arc<[DeviceId]>> {
        self.token().and_then(|token| token.devices.clone())
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
