//! Who did what, in every tenant and on the platform itself.

use cynic::{Id, QueryBuilder};
use serde::{Deserialize, Serialize, Serializer};

use crate::api::{
    audit::{AuditAction, AuditFilter, AuditPage, TimeRange},
    client,
    error::ApiError,
    schema,
};

/// Whose log: a tenant's, or the platform's own, which null stands for.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(from = "Option<Id>")]
pub enum Whose {
    Platform,
    Tenant(Id),
}

cynic::impl_scalar!(Whose, schema::ID);

impl From<Option<Id>> for Whose {
    fn from(id: Option<Id>) -> Self {
        id.map_or(Self::Platform, Self::Tenant)
    }
}

impl Serialize for Whose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Platform => serializer.serialize_none(),
            Self::Tenant(id) => id.serialize(serializer),
        }
    }
}

#[derive(cynic::InputObject, Clone, Debug)]
struct PlatformAuditFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<Whose>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    action: Option<Vec<AuditAction>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    actor_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    object_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    grant_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    at: Option<TimeRange>,
}

#[derive(cynic::QueryVariables, Debug)]
struct AuditVariables {
    filter: PlatformAuditFilter,
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "AuditVariables")]
struct AuditQuery {
    platform: AuditOfPlatform,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Platform", variables = "AuditVariables")]
struct AuditOfPlatform {
    #[arguments(where: $filter, first: $first, after: $after)]
    audit_log: AuditPage,
}

/// Of one tenant, of the platform or, without, of all.
pub async fn list(
    whose: Option<Whose>,
    filter: AuditFilter,
    first: i32,
    after: Option<String>,
) -> Result<AuditPage, ApiError> {
    let filter = PlatformAuditFilter {
        tenant_id: whose,
        action: filter.action,
        actor_id: filter.actor_id,
        object_id: filter.object_id,
        grant_id: filter.grant_id,
        at: filter.at,
    };
    let variables = AuditVariables { filter, first, after };
    Ok(client::run(AuditQuery::build(variables)).await?.platform.audit_log)
}
