//! Chats come to be and move up when messages pass through them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, chat};
use sea_orm::{
    ActiveValue::Set,
    DbErr, ExprTrait,
    sea_query::{Expr, Func, OnConflict},
};

use super::{
    addresses::{self, is_hidden},
    types::{kind_of, phone_of},
};
use crate::{clock::new_id, store::TenantTx};

/// A message that passes through a chat.
#[derive(Clone, Debug)]
pub struct ChatTouch {
    pub device_id: DeviceId,
    pub jid: String,
    /// What the other side calls itself, when this message tells.
    pub name: Option<String>,
    pub message_id: MessageId,
    pub at: DateTime<Utc>,
    /// Whether it adds to what is unread.
    pub unread: bool,
}

/// Makes the chats that do not exist yet, and moves all of them up. Answers their ids by device and address.
pub async fn touch(tx: &TenantTx, touches: &[ChatTouch]) -> Result<HashMap<(DeviceId, String), ChatId>, DbErr> {
    let numbers = addresses::numbers(tx, touches.iter().map(|touch| (touch.device_id, touch.jid.as_str()))).await?;
    let mut rows: HashMap<(DeviceId, &str), chat::ActiveModel> = HashMap::new();
    for touch in touches {
        let jid = address(&numbers, touch);
        let fresh = || new_chat(touch, jid);
        let row = rows.entry((touch.device_id, jid)).or_insert_with(fresh);
        if touch.unread {
            row.unread_count = Set(row.unread_count.take().unwrap_or(0) + 1);
        }
        if touch.name.is_some() {
            row.name = Set(touch.name.clone());
        }
        row.last_message_id = Set(Some(touch.message_id));
        row.last_message_at = Set(Some(touch.at));
    }
    // In a fixed order, so that two transactions lock the same chats the same way round.
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|((device, jid), _), ((other_device, other_jid), _)| (device, jid).cmp(&(other_device, other_jid)));
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let chats = tx.upsert_many::<chat::Entity, _>(rows, move_up()).await?;
    let mut ids: HashMap<(DeviceId, String), ChatId> = chats
        .into_iter()
        .map(|row| ((row.device_id, row.jid), row.id))
        .collect();
    for (hidden, number) in numbers {
        if let Some(id) = ids.get(&(hidden.0, number)) {
            ids.insert(hidden, *id);
        }
    }
    Ok(ids)
}

/// The address that the touched chat goes by: the number, once it is known.
fn address<'a>(numbers: &'a HashMap<(DeviceId, String), String>, touch: &'a ChatTouch) -> &'a str {
    if !is_hidden(&touch.jid) {
        return &touch.jid;
    }
    numbers.get(&(touch.device_id, touch.jid.clone())).unwrap_or(&touch.jid)
}

fn new_chat(touch: &ChatTouch, jid: &str) -> chat::ActiveModel {
    chat::ActiveModel {
        id: Set(new_id()),
        device_id: Set(touch.device_id),
        jid: Set(jid.to_owned()),
        kind: Set(kind_of(jid)),
        name: Set(None),
        phone_number: Set(phone_of(jid)),
        unread_count: Set(0),
        last_message_id: Set(None),
        last_message_at: Set(None),
        created_at: Set(touch.at),
        ..Default::default()
    }
}

/// What happens to a chat that exists: it counts what is unread, keeps a name it knew, and shows the newest message.
fn move_up() -> OnConflict {
    use chat::{Column, Entity};
    let excluded = |column: Column| Expr::col((sea_orm::sea_query::Alias::new("excluded"), column));
    OnConflict::columns([Column::DeviceId, Column::Jid])
        .value(
            Column::UnreadCount,
            Expr::col((Entity, Column::UnreadCount)).add(excluded(Column::UnreadCount)),
        )
        .value(
            Column::Name,
            Func::coalesce([excluded(Column::Name), Expr::col((Entity, Column::Name))]),
        )
        .update_columns([Column::LastMessageId, Column::LastMessageAt])
        .to_owned()
}
