//! A customer of the platform.

use sea_orm::entity::prelude::*;

use crate::{PlanId, TenantId, TenantOwned};

/// Whether a tenant may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Status {
    Active,
    /// Reads work, sending and changing do not.
    Suspended,
    /// Being deleted: nothing works any more.
    Deleting,
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
    /// Its limits; none is no limit at all.
    pub plan_id: Option<PlanId>,
    /// What was agreed beside the plan: a number per meter, null for no limit.
    #[sea_orm(column_type = "JsonBinary")]
    pub limit_overrides: Json,
    pub suspended_at: Option<DateTimeUtc>,
    pub suspension_reason: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::Id;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = None;
}
