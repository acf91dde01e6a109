//! A secret with which a program acts for a tenant.

use sea_orm::entity::prelude::*;

use crate::{ApiTokenId, TenantId, TenantOwned, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiTokenId,
    pub tenant_id: TenantId,
    pub name: String,
    /// The beginning of the secret, by which people recognise it.
    pub prefix: String,
    /// SHA-256 of the secret, which is random enough not to need a slow hash.
    pub secret_hash: Vec<u8>,
    /// Names of scopes.
    #[sea_orm(column_type = "JsonBinary")]
    pub scopes: Json,
    /// Public ids of the only devices that it may see; null is every device.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub device_ids: Option<Json>,
    /// The only networks that it may be used from; empty is every network.
    #[sea_orm(column_type = "JsonBinary")]
    pub allowed_networks: Json,
    /// Limits of its own, by the names of meters; null is none.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub limits: Option<Json>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
    /// Written at most once a minute.
    pub last_used_at: Option<DateTimeUtc>,
    pub last_used_address: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = None;
}
