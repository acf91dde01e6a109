//! The audit logs of all tenants and the platform's own, in GraphQL.

use async_graphql::{
    Context, ID, InputObject, MaybeUndefined, Object,
    connection::{Connection, EmptyFields},
};

use super::schema::platform;
use crate::{
    audit::Whose,
    audit_log::{AuditEntry, AuditFilter},
    graphql::{
        GqlError, ids,
        pagination::{PageArguments, uncounted},
    },
    tenants::principal,
};

/// Which entries. Everything given must hold.
#[derive(Default, InputObject)]
pub struct PlatformAuditFilter {
    /// In this tenant's log. Null: only in the platform's own log. Left out: in any.
    tenant_id: MaybeUndefined<ID>,
    /// As in a tenant's own log.
    #[graphql(flatten)]
    entries: AuditFilter,
}

impl PlatformAuditFilter {
    fn whose(&self) -> Whose {
        match &self.tenant_id {
            MaybeUndefined::Undefined => Whose::Everybodys,
            MaybeUndefined::Null => Whose::Platforms,
            MaybeUndefined::Value(id) => Whose::Tenants(ids::narrow(id)),
        }
    }
}

/// What operators read of the logs.
#[derive(Default)]
pub struct PlatformAuditQuery;

#[Object]
impl PlatformAuditQuery {
    /// Who did what, in every tenant and on the platform itself, newest first; at most 100 a page. As CSV:
    /// `GET /exports/platform/audit-log.csv`, with the same filter as
    /// `?tenantId=…&action=…&actorId=…&objectId=…&grantId=…&from=…&to=…`, where `tenantId=none` is the platform's own log.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<PlatformAuditFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, AuditEntry, EmptyFields, EmptyFields>, GqlError> {
        let page = PageArguments::new(first, after, last, before).parse()?;
        let filter = filter.unwrap_or_default();
        let (whose, platform) = (filter.whose(), platform(ctx)?);
        let (rows, names) = platform
            .audit_log(principal(ctx)?, whose, &filter.entries.into(), &page)
            .await?;
        Ok(uncounted(rows, |row| {
            let tenant_name = row.tenant_id.and_then(|id| names.get(&id).cloned());
            (row.id, AuditEntry::from(row).in_tenant(tenant_name))
        }))
    }
}
