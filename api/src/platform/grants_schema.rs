//! Access grants in GraphQL.

use async_graphql::{
    Context, ID, InputObject, Object, SimpleObject,
    connection::{Connection, EmptyFields},
};

use super::{
    grants::{GrantWish, Granted},
    queries::GrantSearch,
    schema::platform,
};
use crate::{
    graphql::{
        GqlError, Payload, Refusal, UserError, answer, ids,
        pagination::{PageArguments, uncounted},
    },
    tenants::{Role, access::AccessGrant, principal},
};

/// Which grants. Everything given must hold.
#[derive(Default, InputObject)]
pub struct AccessGrantFilter {
    /// Into this tenant.
    tenant_id: Option<ID>,
    /// True: only those that let somebody in now. False: only those that are over.
    open: Option<bool>,
}

/// What operators ask about grants.
#[derive(Default)]
pub struct GrantQuery;

#[Object]
impl GrantQuery {
    /// Which operators are or were let into tenants, newest first.
    async fn access_grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<AccessGrantFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, AccessGrant, EmptyFields, EmptyFields>, GqlError> {
        let filter = filter.unwrap_or_default();
        let search = GrantSearch {
            tenant: filter.tenant_id.as_ref().map(ids::narrow),
            open: filter.open,
        };
        let page = PageArguments::new(first, after, last, before).parse()?;
        let rows = platform(ctx)?.grants(principal(ctx)?, &search, &page).await?;
        Ok(uncounted(rows, |row| {
            (row.grant.id, AccessGrant::of(row.grant, row.tenant))
        }))
    }
}

/// Which tenant to enter, as what, for how long and why.
#[derive(InputObject)]
pub struct GrantTenantAccessInput {
    /// Which tenant.
    tenant_id: ID,
    /// Why, for the tenant to read in its audit log: 3 to 500 characters.
    reason: String,
    /// As what: ADMIN, AGENT or ANALYST.
    #[graphql(default_with = "Role::Analyst")]
    role: Role,
    /// For how long, 1 to 480; 60 when left out.
    minutes: Option<i32>,
}

/// The grant as it is now.
#[derive(SimpleObject)]
pub struct AccessGrantPayload {
    /// Null when it was refused.
    access_grant: Option<AccessGrant>,
    /// INVALID_INPUT, NOT_FOUND, ALREADY_EXISTS (the operator is let in already) or CONFLICT (the operator belongs to the
    /// tenant, or it is being deleted).
    user_errors: Vec<UserError>,
}

impl Payload<Granted> for AccessGrantPayload {
    fn accepted(granted: Granted) -> Self {
        Self {
            access_grant: Some(AccessGrant::of(granted.grant, granted.tenant)),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            access_grant: None,
            user_errors,
        }
    }
}

/// What operators do with grants.
#[derive(Default)]
pub struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Lets the calling operator into a tenant for a while; `refreshSession(tenantId)` enters it. The tenant reads of it in
    /// its audit log, and so of everything that is done under it. Members and API tokens stay out of reach. Operators only.
    async fn grant_tenant_access(
        &self,
        ctx: &Context<'_>,
        input: GrantTenantAccessInput,
    ) -> Result<AccessGrantPayload, GqlError> {
        answer(grant(ctx, input).await)
    }

    /// Ends an operator's access before its time, within a second on every server; open websockets are closed. Operators
    /// only.
    async fn revoke_tenant_access(&self, ctx: &Context<'_>, id: ID) -> Result<AccessGrantPayload, GqlError> {
        answer(revoke(ctx, &id).await)
    }
}

async fn grant(ctx: &Context<'_>, input: GrantTenantAccessInput) -> Result<Granted, Refusal> {
    let platform = platform(ctx)?;
    let wish = GrantWish {
        tenant: ids::parse(&input.tenant_id, "tenant", "tenantId")?,
        reason: input.reason,
        role: input.role.into(),
        minutes: input.minutes,
    };
    platform.grant_access(principal(ctx)?, wish).await
}

async fn revoke(ctx: &Context<'_>, id: &ID) -> Result<Granted, Refusal> {
    let platform = platform(ctx)?;
    let id = ids::parse(id, "access grant", "id")?;
    platform.revoke_access(principal(ctx)?, id).await
}
