//! What all servers together have counted of a rate limit in its current window.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_window")]
pub struct Model {
    /// The rule and whom it counts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The number of the window since the epoch.
    pub period: i64,
    pub used: i64,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
