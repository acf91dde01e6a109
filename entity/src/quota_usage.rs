//! How much of a limit was used in one window.

use sea_orm::entity::prelude::*;

use crate::{TenantId, TenantOwned};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quota_usage")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// Empty for the tenant's own, else the id of the API token that has a limit of its own.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub meter: String,
    /// Which day or month, counted in the tenant's time zone; 0 for what has no window.
    #[sea_orm(primary_key, auto_increment = false)]
    pub window: i64,
    pub used: i64,
    /// The highest percentage that was warned of in this window.
    pub warned: i16,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Meter;
    const DEVICE: Option<Column> = None;
}
