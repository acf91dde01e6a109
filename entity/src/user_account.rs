//! A person who logs in. A person may belong to several tenants.

use sea_orm::entity::prelude::*;

use crate::UserId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Lower case, unique.
    pub email: String,
    pub name: String,
    /// argon2id, in PHC string format.
    pub password_hash: String,
    /// Access tokens issued before this moment are refused.
    pub password_changed_at: DateTimeUtc,
    /// Runs the platform.
    pub operator: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
