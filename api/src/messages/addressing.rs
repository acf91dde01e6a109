//! How the people whom a text mentions are called in its group.
//!
//! WhatsApp's groups go by numbers or by hidden addresses (LID). Apps do not understand a mention that is written the other
//! way: they show digits and tell nobody. Only the group knows, and only a connected device can ask it.
//!
//! **Invariant:** it is asked before the first attempt and stored with the message, so every attempt, and whoever asks for
//! the message again, gets the same bytes.

use entity::{MessageId, message};
use sea_orm::{ColumnTrait, DbErr};

use super::{claims::Claimed, content};
use crate::{
    devices::LeasedDevice,
    engine::{self, EngineError, Outgoing, OutgoingContent, SendError, Text},
    store::{Store, until_written},
};

/// What is sent of a message.
pub async fn outgoing(
    store: &Store,
    engine: &engine::Handle,
    lease: &LeasedDevice,
    message: &Claimed,
) -> Result<Outgoing, SendError> {
    let OutgoingContent::Text(text) = &message.content;
    let to = &message.recipient_jid;
    let settled = text.mentions.iter().all(|mention| mention.written.is_some());
    let content = if settled || !to.ends_with("@g.us") {
        message.content.clone()
    } else {
        let people = text.mentions.iter().map(|mention| mention.jid.clone()).collect();
        let addresses = engine.addresses_in(lease.id(), to, people).await.map_err(unsent)?;
        OutgoingContent::Text(settle(store, lease, message.id, text.clone(), addresses).await?)
    };
    Ok(Outgoing {
        whatsapp_id: message.whatsapp_id.clone(),
        to: to.clone(),
        content,
        recovery: message.attempts > 1,
    })
}

/// Stores how these people are called.
async fn settle(
    store: &Store,
    lease: &LeasedDevice,
    id: MessageId,
    mut text: Text,
    addresses: Vec<String>,
) -> Result<Text, SendError> {
    for (mention, address) in text.mentions.iter_mut().zip(addresses) {
        mention.written.get_or_insert(address);
    }
    match until_written(store, || keep(store, lease, id, &text)).await {
        Ok(true) => Ok(text),
        // It is another node's by now.
        Ok(false) => Err(SendError::NotConnected),
        Err(error) => Err(SendError::Failed(error.to_string())),
    }
}

async fn keep(store: &Store, lease: &LeasedDevice, id: MessageId, text: &Text) -> Result<bool, DbErr> {
    use message::Column;
    let tx = store.scope(lease).begin().await?;
    let kept = tx
        .update::<message::Entity>()
        .set(Column::Content, content::of_text(text))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(message::Status::Sending))
        .execute()
        .await?;
    tx.commit().await?;
    Ok(kept > 0)
}

/// Nothing has left.
fn unsent(error: EngineError) -> SendError {
    match error {
        EngineError::Stopped | EngineError::NotRunning | EngineError::NotConnected => SendError::NotConnected,
        EngineError::Address => SendError::Address,
        other => SendError::Failed(other.to_string()),
    }
}
