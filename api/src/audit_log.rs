//! The audit log as clients see it. It stands above the domains, because the log lies below them all.

use async_graphql::{
    Context, Enum, ID, InputObject, Object, SimpleObject,
    connection::{Connection, EmptyFields},
};
use chrono::{DateTime, Utc};
use entity::{AuditEntryId, audit_entry, audit_entry::ActorKind};

use crate::{
    audit::{self, Action, AuditSearch},
    graphql::{
        GqlError, TimeRange,
        pagination::{PageArguments, uncounted},
    },
    tenants::{Permission, principal, scope},
};

/// What kind of caller did something.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ActorKind")]
pub enum AuditActorKind {
    /// A person of the tenant.
    User,
    /// A program with an API token.
    ApiToken,
    /// A person who runs the platform.
    Operator,
    /// Nobody who is known: a login that failed.
    Stranger,
    /// The server itself.
    System,
}

/// Who did something, as it was then.
#[derive(SimpleObject)]
pub struct AuditActor {
    /// What kind of caller.
    kind: AuditActorKind,
    /// The person's or the token's id; null for the server and strangers.
    id: Option<ID>,
    /// The person's email address or the token's name at that time.
    name: Option<String>,
    /// The address that the request came from.
    address: Option<String>,
    /// What the client called itself, at most 255 characters.
    user_agent: Option<String>,
}

/// Something that was done. Entries are never changed; they are deleted only together with their tenant.
#[derive(SimpleObject)]
pub struct AuditEntry {
    /// Opaque id, `aud_…`.
    pub id: ID,
    /// When.
    at: DateTime<Utc>,
    /// Who, and from where.
    actor: AuditActor,
    /// What.
    action: Action,
    /// To what; the id's prefix tells what it is. What it names may be gone.
    object_id: Option<ID>,
    /// How the object was called at that time.
    object_name: Option<String>,
    /// The values that changed, as they were. Never a secret, never a message's text.
    before: Option<serde_json::Value>,
    /// The values that changed or were chosen, as they became.
    after: Option<serde_json::Value>,
    /// The access grant, `agr_…`, under which an operator did it; null for everybody who belongs to the tenant.
    grant_id: Option<ID>,
    /// In whose log it stands; null in the platform's own.
    tenant_id: Option<ID>,
    /// That tenant's name, told by `platform { auditLog }` only.
    tenant_name: Option<String>,
}

impl From<audit_entry::Model> for AuditEntry {
    fn from(row: audit_entry::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            at: row.at,
            actor: AuditActor {
                kind: row.actor_kind.into(),
                id: row.actor_id.map(ID),
                name: row.actor_name,
                address: row.address,
                user_agent: row.user_agent,
            },
            action: Action::read(&row.action),
            object_id: row.object_id.map(ID),
            object_name: row.object_name,
            before: row.before,
            after: row.after,
            grant_id: row.grant_id.map(ID),
            tenant_id: row.tenant_id.map(|id| ID(id.to_string())),
            tenant_name: None,
        }
    }
}

impl AuditEntry {
    /// The same, with the name of the tenant in whose log it stands.
    pub fn in_tenant(self, tenant_name: Option<String>) -> Self {
        Self { tenant_name, ..self }
    }

    /// An entry of the caller's tenant, for those who may read the log.
    pub async fn find(ctx: &Context<'_>, id: AuditEntryId) -> Result<Option<Self>, GqlError> {
        principal(ctx)?.require(Permission::ReadAuditLog)?;
        Ok(audit::find(&scope(ctx)?, id).await?.map(Self::from))
    }
}

/// Which entries. Everything given must hold.
#[derive(Default, InputObject)]
pub struct AuditFilter {
    /// One of these.
    action: Option<Vec<Action>>,
    /// Done by this person or API token.
    actor_id: Option<ID>,
    /// Done to this object.
    object_id: Option<ID>,
    /// Done by an operator under this access grant.
    grant_id: Option<ID>,
    /// Done in this time.
    at: Option<TimeRange>,
}

impl From<AuditFilter> for AuditSearch {
    fn from(filter: AuditFilter) -> Self {
        let at = filter.at.unwrap_or_default();
        Self {
            actions: filter.action.unwrap_or_default(),
            actor_id: filter.actor_id.map(|id| id.0),
            object_id: filter.object_id.map(|id| id.0),
            grant_id: filter.grant_id.map(|id| id.0),
            from: at.from,
            to: at.to,
        }
    }
}

/// Queries of the audit log.
#[derive(Default)]
pub struct AuditLogQuery;

#[Object]
impl AuditLogQuery {
    /// Who did what in the tenant, newest first; at most 100 a page. Needs the role OWNER or ADMIN. The whole log as CSV:
    /// `GET /exports/audit-log.csv`, with the same filter as
    /// `?action=…&actorId=…&objectId=…&grantId=…&from=…&to=…`.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<AuditFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, AuditEntry, EmptyFields, EmptyFields>, GqlError> {
        principal(ctx)?.require(Permission::ReadAuditLog)?;
        let search = AuditSearch::from(filter.unwrap_or_default());
        let page = PageArguments::new(first, after, last, before).parse()?;
        let rows = audit::list(&scope(ctx)?, &search, &page).await?;
        Ok(uncounted(rows, |row| (row.id, AuditEntry::from(row))))
    }
}
