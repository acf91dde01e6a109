//! What each participant of a group did with a message: the table `receipt`.

use chrono::{DateTime, Utc};
use entity::{MessageId, message, receipt};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbErr,
    sea_query::{Expr, Func, OnConflict},
};

use super::steps::{Heard, Told};
use crate::{chats::types::phone_of, clock::new_id, engine::ReceiptKind, store::TenantTx};

/// Notes who of a group received, read or played what.
pub async fn record(tx: &TenantTx, told: &[Told<'_>]) -> Result<(), DbErr> {
    for told in told {
        let Heard::Receipt {
            participant: Some(participant),
            whatsapp_ids,
            kind,
        } = told.heard
        else {
            continue;
        };
        let messages = tx
            .find::<message::Entity>()
            .filter(message::Column::DeviceId.eq(told.device_id))
            .among(message::Column::WhatsappId, whatsapp_ids.iter().map(String::as_str))
            .filter(message::Column::Direction.eq(message::Direction::Out))
            .tuples::<(MessageId,)>([Expr::col(message::Column::Id)])
            .await?;
        let rows: Vec<_> = messages
            .into_iter()
            .map(|(id,)| new_receipt(id, participant, *kind, told.at))
            .collect();
        if !rows.is_empty() {
            tx.upsert_many::<receipt::Entity, _>(rows, merge()).await?;
        }
    }
    Ok(())
}

fn new_receipt(message_id: MessageId, participant: &str, kind: ReceiptKind, at: DateTime<Utc>) -> receipt::ActiveModel {
    receipt::ActiveModel {
        id: Set(new_id()),
        message_id: Set(message_id),
        participant_jid: Set(participant.to_owned()),
        participant_phone: Set(phone_of(participant)),
        delivered_at: Set(Some(at)),
        read_at: Set((kind >= ReceiptKind::Read).then_some(at)),
        played_at: Set((kind == ReceiptKind::Played).then_some(at)),
        ..Default::default()
    }
}

/// What is known of a participant stays; what is new is added.
fn merge() -> OnConflict {
    use receipt::{Column, Entity};
    let mut merge = OnConflict::columns([Column::MessageId, Column::ParticipantJid]);
    for column in [Column::DeliveredAt, Column::ReadAt, Column::PlayedAt] {
        let excluded = Expr::col((sea_orm::sea_query::Alias::new("excluded"), column));
        merge.value(column, Func::coalesce([Expr::col((Entity, column)), excluded]));
    }
    merge
}
