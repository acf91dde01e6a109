//! What a person's authenticator app shares with the server: the secret of its codes, encrypted.

use sea_orm::entity::prelude::*;

use crate::UserId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(column_type = "VarBinary(StringLen::None)")]
    pub secret: Vec<u8>,
    pub created_at: DateTimeUtc,
    /// Since when codes are asked for; none while it is being set up.
    pub confirmed_at: Option<DateTimeUtc>,
    /// The time step of the newest code that was accepted: it and older ones are not accepted again.
    pub last_step: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
