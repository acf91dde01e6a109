//! What one participant of a group did with a message: one row per message and participant.

use sea_orm::entity::prelude::*;

use crate::{MessageId, ReceiptId, TenantId, TenantOwned};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReceiptId,
    pub tenant_id: TenantId,
    pub message_id: MessageId,
    pub participant_jid: String,
    pub participant_phone: Option<String>,
    pub delivered_at: Option<DateTimeUtc>,
    pub read_at: Option<DateTimeUtc>,
    pub played_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = None;
}
