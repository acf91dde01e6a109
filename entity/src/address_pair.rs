//! Two addresses of one person, as far as a device knows them: the hidden one (LID) and the one by phone number.

use sea_orm::entity::prelude::*;

use crate::{AddressPairId, DeviceId, TenantId, TenantOwned};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "address_pair")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressPairId,
    pub tenant_id: TenantId,
    pub device_id: DeviceId,
    /// `…@lid`, unique per device.
    pub lid: String,
    /// `…@s.whatsapp.net`; null while a chat goes by the hidden address because nobody has told the number yet.
    pub phone_jid: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TenantOwned for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
    const DEVICE: Option<Column> = Some(Column::DeviceId);
}
