//! A message, in or out. What still has to be sent is in the queue as well.

use sea_orm::entity::prelude::*;

use crate::{ChatId, DeviceId, MessageId, TenantId, TenantOwned};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(4))", rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Kind {
    Text,
    Image,
    Video,
    Gif,
    Audio,
    Voice,
    Document,
    Sticker,
    Location,
    Contacts,
    Poll,
    Buttons,
    List,
    Reaction,
    Other,
}

/// How far a message has come. It moves forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Status {
    Scheduled,
    Queued,
    Sending,
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Canceled,
    Expired,
    Received,
}

/// Who goes first in a device's queue: the lower number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Priority {
    #[sea_orm(num_value = 0)]
    Otp,
    #[sea_orm(num_value = 10)]
    Interactive,
    #[sea_orm(num_value = 20)]
    Scheduled,
    #[sea_orm(num_value = 30)]
    Bulk,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
    pub tenant_id: TenantId,
    pub device_id: DeviceId,
    pub chat_id: ChatId,
    /// Made and stored before the first attempt; a repeated attempt uses it again.
    pub whatsapp_id: String,
    pub direction: Direction,
    pub sender_jid: String,
    pub sender_phone: Option<String>,
    pub sender_name: Option<String>,
    pub recipient_jid: Option<String>,
    pub recipient_phone: Option<String>,
    pub kind: Kind,
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    /// What people search: the text or the caption.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub status: Status,
    pub priority: Priority,
    pub attempts: i32,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    /// WhatsApp's own code of a refusal.
    pub error_number: Option<i32>,
    /// Unique per tenant: the same key returns the first message.
    pub idempotency_key: Option<String>,
    pub created_at: DateTimeUtc,
    pub sending_at: Option<DateTimeUtc>,
    pub sent_at: Option<DateTimeUtc>,
    pub delivered_at: Option<DateTimeUtc>,
    pub read_at: Option<DateTimeUtc>,
    pub played_at: Option<DateTimeUtc>,
    /// When it reached FAILED, CANCELED or EXPIRED.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = Some(Column::DeviceId);
}
