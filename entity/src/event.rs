//! One change, numbered without gaps per tenant, written in the transaction that made it.

use sea_orm::entity::prelude::*;

use crate::{ChatId, DeviceId, MessageId, TenantId, TenantOwned};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
pub enum Type {
    DeviceStatus,
    DeviceQr,
    MessageReceived,
    MessageStatus,
    ChatUpdated,
    ChatsJoined,
    QuotaWarning,
    RefreshTokenReused,
    TenantStatus,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub r#type: Type,
    pub at: DateTimeUtc,
    pub device_id: Option<DeviceId>,
    pub chat_id: Option<ChatId>,
    pub message_id: Option<MessageId>,
    /// What cannot be read from the changed row later, such as the status that it had then.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Sequence;
    const DEVICE: Option<Column> = Some(Column::DeviceId);
}
