//! A customer of the platform.

use sea_orm::entity::prelude::*;

use crate::{TenantId, TenantOwned};

/// Whether a tenant may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Status {
    Active,
    /// Reads work, sending does not.
    Suspended,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenantId,
    pub name: String,
    /// Unique over the platform, for addresses and configuration.
    pub slug: String,
    pub status: Status,
    /// ISO 3166-1 alpha-2: how local phone numbers are read.
    pub default_country: String,
    /// BCP 47.
    pub default_language: String,
    /// IANA name.
    pub time_zone: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::Id;
    const ID: Column = Column::Id;
}
