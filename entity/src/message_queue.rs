//! A message that waits to be sent, or is on its way: an index of `message` that is kept by hand.
//!
//! Whether a message waits is asked all the time and changes twice within seconds. In an index of `message` each change
//! would move the whole row on Postgres, and write to every index it has; here a row of a few bytes comes and goes.

use sea_orm::entity::prelude::*;

use crate::{DeviceId, MessageId, TenantId, TenantOwned, message::Priority};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_queue")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    pub device_id: DeviceId,
    pub priority: Priority,
    /// It was claimed, and no answer has come.
    pub sending: bool,
    /// Not before this moment; null is at once.
    pub next_attempt_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::MessageId;
    const DEVICE: Option<Column> = Some(Column::DeviceId);
}
