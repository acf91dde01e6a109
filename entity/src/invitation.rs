//! An open invitation into a tenant. The row goes when it is accepted or revoked; the audit log keeps what happened.

use sea_orm::entity::prelude::*;

use crate::{InvitationId, TenantId, TenantOwned, UserId, membership::Role};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub tenant_id: TenantId,
    /// Unique per tenant.
    pub email: String,
    /// What the person will be.
    pub role: Role,
    /// SHA-256 of what stands in the link.
    pub token_hash: Vec<u8>,
    pub invited_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = None;
}
