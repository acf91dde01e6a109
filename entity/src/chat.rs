//! A conversation of a device with a person or a group.

use sea_orm::entity::prelude::*;

use crate::{ChatId, DeviceId, MessageId, TenantId, TenantOwned};

/// Whom a chat is with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Kind {
    Direct,
    Group,
    Status,
    Newsletter,
    Broadcast,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChatId,
    pub tenant_id: TenantId,
    pub device_id: DeviceId,
    /// Unique per device.
    pub jid: String,
    pub kind: Kind,
    /// What the other side calls itself or the group is called, as far as it is known.
    pub name: Option<String>,
    /// E.164, for direct chats.
    pub phone_number: Option<String>,
    pub unread_count: i32,
    pub last_message_id: Option<MessageId>,
    pub last_message_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = Some(Column::DeviceId);
}
