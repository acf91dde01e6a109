//! `access_grant`: an operator is let into a tenant for a while.

use sea_orm::entity::prelude::*;

use crate::{AccessGrantId, TenantId, TenantOwned, UserId, membership::Role};

/// A row of `access_grant`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_grant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccessGrantId,
    pub tenant_id: TenantId,
    /// Who is let in.
    pub operator_id: UserId,
    /// The operator's address at that time.
    pub operator_email: String,
    /// As what.
    pub role: Role,
    /// Why, for the tenant to read. At most 500 characters.
    pub reason: String,
    pub created_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
    /// When it was ended before, or found over.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = None;
}
