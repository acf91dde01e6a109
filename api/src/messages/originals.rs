//! Finds again what a device sent, for a recipient that could not read it.

use async_trait::async_trait;
use entity::{DeviceId, message};
use sea_orm::{ColumnTrait, DbErr, prelude::Json, sea_query::Expr};

use super::content;
use crate::{
    devices::Leases,
    engine::{self, OutgoingContent},
    store::Store,
};

/// The outbox, as the engine reads it.
pub struct Originals {
    store: Store,
    leases: Leases,
}

impl Originals {
    /// Reads the messages of devices that this node holds.
    pub fn new(store: Store, leases: Leases) -> Self {
        Self { store, leases }
    }
}

#[async_trait]
impl engine::Originals for Originals {
    /// The chat is asked for as well: only who was written to may ask for a message.
    async fn original(
        &self,
        device: DeviceId,
        fence: i64,
        chat: &str,
        whatsapp_id: &str,
    ) -> Result<Option<OutgoingContent>, DbErr> {
        use message::Column;
        let Some(lease) = self.leases.with_fence(device, fence) else {
            return Ok(None);
        };
        let found = self
            .store
            .scope(&lease)
            .find::<message::Entity>()
            .filter(Column::DeviceId.eq(device))
            .filter(Column::WhatsappId.eq(whatsapp_id))
            .filter(Column::Direction.eq(message::Direction::Out))
            .filter(Column::RecipientJid.eq(chat))
            // What was written on the phone has not been sent by us.
            .filter(Column::SendingAt.is_not_null())
            .limit(1)
            .tuples::<(Json,)>([Expr::col(Column::Content)])
            .await?;
        Ok(found.into_iter().next().map(|(content,)| content::outgoing(content)))
    }
}
