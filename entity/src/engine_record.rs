//! What the engine keeps for a device: credentials and Signal state, encrypted, by space and key.

use sea_orm::entity::prelude::*;

use crate::{DeviceId, DeviceOwned};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "engine_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: DeviceId,
    /// Which of the engine's stores; `api`'s `engine/storage` lists them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub space: i16,
    #[sea_orm(primary_key, auto_increment = false, column_type = "VarBinary(StringLen::None)")]
    pub key: Vec<u8>,
    #[sea_orm(column_type = "VarBinary(StringLen::None)")]
    pub value: Vec<u8>,
    /// A number that the engine searches by, such as a pre-key's id.
    pub number: Option<i64>,
    /// Unix seconds after which the record may be removed.
    pub expires_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

impl DeviceOwned for Entity {
    const DEVICE: Column = Column::DeviceId;
}
