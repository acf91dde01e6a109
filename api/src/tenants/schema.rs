//! People and tenants in GraphQL.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{TenantId, membership, tenant, user_account};

use super::{
    access::AccessGrant,
    api_tokens::{ApiToken, ApiTokens},
    limits::Overrides,
    permission::{self, Permission, PermissionRule},
    principal::principal,
    second_factor::SecondFactor,
    service::Accounts,
    types::Identity,
    views::{Limit, TenantStatus, tenancy},
};
use crate::graphql::{
    GqlError,
    context::{Origin, Transport},
};

/// A person's role in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "membership::Role")]
pub enum Role {
    /// Everything, including giving the tenant away.
    Owner,
    /// Everything but that.
    Admin,
    /// Reads everything and sends messages.
    Agent,
    /// Reads everything.
    Analyst,
}

/// Who calls, and in which tenant: a person, or a program with an API token.
pub enum Viewer {
    /// A person with a session.
    Person(Identity),
    /// A program.
    Program(Box<ApiToken>, tenant::Model, Vec<Permission>),
}

#[Object]
impl Viewer {
    /// The person; null for an API token.
    async fn user(&self) -> Option<User> {
        self.identity().map(|identity| identity.user.clone().into())
    }

    /// The API token; null for a person.
    async fn api_token(&self) -> Option<ApiToken> {
        match self {
            Self::Person(_) => None,
            Self::Program(token, ..) => Some(token.as_ref().clone()),
        }
    }

    /// The tenant that the caller acts in. `refreshSession(tenantId)` changes a session to another one.
    async fn tenant(&self) -> Tenant {
        match self {
            Self::Person(identity) => identity.tenant.clone().into(),
            Self::Program(_, tenant, _) => tenant.clone().into(),
        }
    }

    /// The person's role in that tenant; null for an API token, which has scopes.
    async fn role(&self) -> Option<Role> {
        self.identity().map(|identity| identity.role.into())
    }

    /// Whether the person's logins ask for a code besides the password; null for an API token.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<Option<SecondFactor>, GqlError> {
        let Some(identity) = self.identity() else {
            return Ok(None);
        };
        let state = accounts(ctx)?.second_factor(identity.user.id).await?;
        Ok(Some(SecondFactor::of(state)))
    }

    /// The limits that hold for the caller, and how much of them is used: the tenant's, then those that an API token has
    /// of its own.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Vec<Limit>, GqlError> {
        let usage = tenancy(ctx)?.usage_of_caller(principal(ctx)?).await?;
        Ok(usage.into_iter().map(Limit::from).collect())
    }

    /// What the caller may do, by role or scopes. `permissions` has the whole table.
    async fn permissions(&self) -> Vec<Permission> {
        match self {
            Self::Person(identity) => Permission::all()
                .filter(|permission| permission.is_held(identity.role, identity.grant.is_some()))
                .collect(),
            Self::Program(_, _, permissions) => permissions.clone(),
        }
    }

    /// What lets an operator into that tenant who does not belong to it, and until when; null for everybody else.
    async fn access_grant(&self) -> Option<AccessGrant> {
        let identity = self.identity()?;
        let grant = identity.grant.clone()?;
        Some(AccessGrant::of(*grant, identity.tenant.clone()))
    }

    /// Every tenant that the person belongs to; empty for an API token.
    async fn memberships(&self, ctx: &Context<'_>) -> Result<Vec<Membership>, GqlError> {
        let Some(identity) = self.identity() else {
            return Ok(Vec::new());
        };
        let memberships = accounts(ctx)?.memberships(identity.user.id).await?;
        Ok(memberships
            .into_iter()
            .map(|(tenant, role)| Membership {
                tenant: tenant.into(),
                role: role.into(),
            })
            .collect())
    }
}

impl Viewer {
    fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Person(identity) => Some(identity),
            Self::Program(..) => None,
        }
    }

    async fn find(ctx: &Context<'_>) -> Result<Self, GqlError> {
        let caller = principal(ctx)?;
        if caller.person().is_some() {
            return Ok(Self::Person(accounts(ctx)?.identity(caller).await?));
        }
        let token = ctx.data_unchecked::<ApiTokens>().own(caller).await?;
        let token = token.ok_or_else(GqlError::unauthenticated)?;
        let permissions = Permission::all().filter(|permission| caller.may(*permission)).collect();
        Ok(Self::Program(
            Box::new(token.into()),
            accounts(ctx)?.tenant(caller).await?,
            permissions,
        ))
    }
}

/// A person who logs in.
#[derive(Clone, Debug, SimpleObject)]
pub struct User {
    /// Opaque id, `usr_…`.
    pub id: ID,
    /// The address to log in with, in lower case.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// Whether the person runs the platform.
    pub operator: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

impl From<user_account::Model> for User {
    fn from(row: user_account::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            email: row.email,
            name: row.name,
            operator: row.operator,
            created_at: row.created_at,
        }
    }
}

/// A customer of the platform: devices, chats and messages belong to one.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Tenant {
    #[graphql(skip)]
    pub(super) key: TenantId,
    #[graphql(skip)]
    pub(super) plan_id: Option<entity::PlanId>,
    #[graphql(skip)]
    pub(super) overrides: Overrides,
    /// Opaque id, `ten_…`.
    pub id: ID,
    /// What people see.
    pub name: String,
    /// A short name for addresses and configuration, unique over the platform.
    pub slug: String,
    /// Whether it may act.
    pub status: TenantStatus,
    /// Since when it is suspended.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Why it is suspended, as the operator has put it.
    pub suspension_reason: Option<String>,
    /// ISO 3166-1 alpha-2: a phone number without a country code is read as one of this country.
    pub default_country: String,
    /// BCP 47: the language of new members' consoles.
    pub default_language: String,
    /// IANA name: where the tenant's days begin.
    pub time_zone: String,
    /// When the tenant was made.
    pub created_at: DateTime<Utc>,
}

impl From<tenant::Model> for Tenant {
    fn from(row: tenant::Model) -> Self {
        Self {
            key: row.id,
            plan_id: row.plan_id,
            overrides: Overrides::read(&row.limit_overrides),
            id: ID(row.id.to_string()),
            name: row.name,
            slug: row.slug,
            status: row.status.into(),
            suspended_at: row.suspended_at,
            suspension_reason: row.suspension_reason,
            default_country: row.default_country,
            default_language: row.default_language,
            time_zone: row.time_zone,
            created_at: row.created_at,
        }
    }
}

impl Tenant {
    /// The caller's own tenant, when `id` is its id: nobody sees another one.
    pub async fn find(ctx: &Context<'_>, id: TenantId) -> Result<Option<Self>, GqlError> {
        let tenant = accounts(ctx)?.tenant(principal(ctx)?).await?;
        Ok((tenant.id == id).then(|| tenant.into()))
    }
}

impl User {
    /// The caller, when `id` is the caller's: other people are not shown yet.
    pub async fn find(ctx: &Context<'_>, id: entity::UserId) -> Result<Option<Self>, GqlError> {
        let caller = principal(ctx)?;
        if caller.person().is_none_or(|person| person.user_id != id) {
            return Ok(None);
        }
        Ok(Some(accounts(ctx)?.identity(caller).await?.user.into()))
    }
}

/// A tenant that a person belongs to.
#[derive(SimpleObject)]
pub struct Membership {
    /// The tenant.
    tenant: Tenant,
    /// The person's role there.
    role: Role,
}

/// Queries about who calls.
#[derive(Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// Who calls: the person, the tenant acted in, the role there.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer, GqlError> {
        Viewer::find(ctx).await
    }

    /// What each role and each scope of an API token may do.
    async fn permissions(&self) -> Vec<PermissionRule> {
        permission::rules()
    }

    /// The tenant that the caller acts in.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Tenant, GqlError> {
        Ok(accounts(ctx)?.tenant(principal(ctx)?).await?.into())
    }
}

/// Where the request comes from; unknown when it came by no transport.
pub(super) fn origin(ctx: &Context<'_>) -> Origin {
    Transport::of(ctx).map_or_else(Origin::default, |transport| transport.origin.clone())
}

pub(super) fn accounts<'a>(ctx: &Context<'a>) -> Result<&'a Accounts, GqlError> {
    ctx.data_opt::<Accounts>()
        .ok_or_else(|| GqlError::internal("the schema holds no accounts"))
}
