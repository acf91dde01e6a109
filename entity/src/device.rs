//! A WhatsApp account linked as a companion.

use sea_orm::entity::prelude::*;

use crate::{DeviceId, TenantId, TenantOwned};

/// Where a device stands. `api`'s `devices/types.rs` says which change follows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))", rename_all = "snake_case")]
pub enum Status {
    Created,
    Connecting,
    QrReady,
    Pairing,
    PasskeyRequired,
    Connected,
    Degraded,
    Disconnected,
    LoggedOut,
    Banned,
    Failed,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeviceId,
    pub tenant_id: TenantId,
    /// The tenant's own name for it in requests; unique per tenant.
    pub key: Option<String>,
    pub name: String,
    pub remark: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Json,
    pub status: Status,
    pub status_reason: Option<String>,
    pub status_since: DateTimeUtc,
    /// Whether the tenant wants it connected: a restart of the server connects it again.
    pub wanted: bool,
    /// Whether it holds credentials of a finished pairing.
    pub linked: bool,
    /// E.164.
    pub phone_number: Option<String>,
    pub push_name: Option<String>,
    pub jid: Option<String>,
    pub lid: Option<String>,
    pub platform: Option<String>,
    pub connection_attempts: i32,
    pub last_connected_at: Option<DateTimeUtc>,
    pub last_activity_at: Option<DateTimeUtc>,
    /// The node that holds the lease.
    pub lease_node: Option<String>,
    /// Grows with each lease; writes that carry an older number are refused.
    pub lease_fence: i64,
    pub lease_expires_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = Some(Column::Id);
}
