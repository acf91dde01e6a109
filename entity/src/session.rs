//! One login of a person: the family that its refresh tokens belong to.

use sea_orm::entity::prelude::*;

use crate::{SessionId, TenantId, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub user_id: UserId,
    /// The tenant that the session acts in; switching tenants changes it.
    pub tenant_id: Option<TenantId>,
    pub created_at: DateTimeUtc,
    pub last_used_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// Set by logout, by a reused refresh token, or by a password change.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it ended: `logout`, `reuse`, `password_change`.
    pub end_reason: Option<String>,
    /// Where the login came from.
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
