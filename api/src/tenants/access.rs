//! What lets an operator into a tenant for a while, as it is shown. Operators make and end it: `platform/grants.rs`.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{access_grant, tenant};

use super::schema::{Role, Tenant};

/// An operator is let into a tenant for a while. The tenant reads of it in its audit log, and every entry of what is done
/// under it carries its id.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessGrant {
    /// Opaque id, `agr_…`.
    pub id: ID,
    /// The tenant that it opens.
    tenant: Tenant,
    /// The operator's id, `usr_…`.
    operator_id: ID,
    /// The operator's email address at that time.
    operator_email: String,
    /// What the operator may do in the tenant: as this role, apart from managing members and API tokens.
    role: Role,
    /// Why, as the tenant reads it.
    reason: String,
    /// Since when.
    created_at: DateTime<Utc>,
    /// When it ends by itself.
    expires_at: DateTime<Utc>,
    /// When it was ended before its time; null when it was not.
    ended_at: Option<DateTime<Utc>>,
}

impl AccessGrant {
    /// From the rows.
    pub fn of(row: access_grant::Model, tenant: tenant::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            tenant: tenant.into(),
            operator_id: ID(row.operator_id.to_string()),
            operator_email: row.operator_email,
            role: row.role.into(),
            reason: row.reason,
            created_at: row.created_at,
            expires_at: row.expires_at,
            // What was found over is not what somebody has ended.
            ended_at: row.ended_at.filter(|ended_at| *ended_at < row.expires_at),
        }
    }
}
