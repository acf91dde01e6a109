//! What tenants of a kind may use.

use sea_orm::entity::prelude::*;

use crate::PlanId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plan")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlanId,
    /// Unique over the platform.
    pub name: String,
    pub description: Option<String>,
    /// A number per meter; a meter that is missing has no limit.
    #[sea_orm(column_type = "JsonBinary")]
    pub limits: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
