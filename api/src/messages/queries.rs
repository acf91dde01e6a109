//! Reads of messages. No decision is taken here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, MessageId, message, receipt};
use sea_orm::{
    ColumnTrait, Condition, DbErr, Order,
    sea_query::{Expr, Func},
};

use crate::{
    devices::queries::contains_any,
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::TenantScope,
};

/// Which messages are wanted.
#[derive(Clone, Debug, Default)]
pub struct MessageSearch {
    pub device_id: Option<DeviceId>,
    pub chat_id: Option<ChatId>,
    pub direction: Option<message::Direction>,
    pub status: Vec<message::Status>,
    pub kind: Vec<message::Kind>,
    pub sender: Option<String>,
    pub recipient: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub text: Option<String>,
    pub whatsapp_id: Option<String>,
}

/// A message of the tenant.
pub async fn find(scope: &TenantScope, id: MessageId) -> Result<Option<message::Model>, DbErr> {
    scope.find_by_id::<message::Entity>(id).await
}

/// Several messages of the tenant.
pub async fn find_many(scope: &TenantScope, ids: &[MessageId]) -> Result<HashMap<MessageId, message::Model>, DbErr> {
    let rows = scope
        .find::<message::Entity>()
        .among(message::Column::Id, ids.iter().copied())
        .all()
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Whether a message has this idempotency key.
pub async fn is_key_used(scope: &TenantScope, key: &str) -> Result<bool, DbErr> {
    let found = scope
        .find::<message::Entity>()
        .filter(message::Column::IdempotencyKey.eq(key));
    Ok(found.count().await? > 0)
}

/// A page of messages by creation.
pub async fn list(
    scope: &TenantScope,
    search: &MessageSearch,
    ascending: bool,
    page: &Page<MessageId>,
) -> Result<Rows<message::Model>, GqlError> {
    let query = scope.find::<message::Entity>().filter(condition(search));
    Ok(page.cut(page.seek(query, message::Column::Id, ascending).all().await?))
}

/// How many messages there are in all.
pub async fn count(scope: &TenantScope, search: &MessageSearch) -> Result<u64, DbErr> {
    scope.find::<message::Entity>().filter(condition(search)).count().await
}

/// How many messages since `since`, by direction and state.
pub async fn count_since(
    scope: &TenantScope,
    since: DateTime<Utc>,
) -> Result<Vec<(message::Direction, message::Status, i64)>, DbErr> {
    let direction = Expr::col(message::Column::Direction);
    let status = Expr::col(message::Column::Status);
    scope
        .find::<message::Entity>()
        // Ids sort like time: this is a range of the (tenant_id, id) index.
        .filter(message::Column::Id.gte(first_id_at(since)))
        .group_by([direction.clone(), status.clone()])
        .tuples([direction, status, Func::count(Expr::col(message::Column::Id)).into()])
        .await
}

/// What participants of a group did with each of these messages.
pub async fn receipts(scope: &TenantScope, ids: &[MessageId]) -> Result<Vec<receipt::Model>, DbErr> {
    scope
        .find::<receipt::Entity>()
        .among(receipt::Column::MessageId, ids.iter().copied())
        .order_by(receipt::Column::Id, Order::Asc)
        .all()
        .await
}

/// The newest incoming messages of a chat, newest first.
pub async fn newest_incoming(scope: &TenantScope, chat_id: ChatId, limit: u64) -> Result<Vec<message::Model>, DbErr> {
    scope
        .find::<message::Entity>()
        .filter(message::Column::ChatId.eq(chat_id))
        .filter(message::Column::Direction.eq(message::Direction::In))
        .order_by(message::Column::Id, Order::Desc)
        .limit(limit)
        .all()
        .await
}

/// The smallest id that a message made at `at` or later can have (UUIDv7 begins with its milliseconds).
fn first_id_at(at: DateTime<Utc>) -> MessageId {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    MessageId(sea_orm::prelude::Uuid::from_u128(millis << 80))
}

fn condition(search: &MessageSearch) -> Condition {
    use message::Column;
    let text = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    Condition::all()
        .add_option(search.device_id.map(|id| Column::DeviceId.eq(id)))
        .add_option(search.chat_id.map(|id| Column::ChatId.eq(id)))
        .add_option(search.direction.map(|direction| Column::Direction.eq(direction)))
        .add_option((!search.status.is_empty()).then(|| Column::Status.is_in(search.status.iter().copied())))
        .add_option((!search.kind.is_empty()).then(|| Column::Kind.is_in(search.kind.iter().copied())))
        .add_option(search.sender.as_ref().map(|phone| Column::SenderPhone.eq(phone)))
        .add_option(search.recipient.as_ref().map(|phone| Column::RecipientPhone.eq(phone)))
        .add_option(search.from.map(|from| Column::Id.gte(first_id_at(from))))
        .add_option(search.to.map(|to| Column::Id.lt(first_id_at(to))))
        .add_option(text.map(|text| contains_any(&[Column::Body], text)))
        .add_option(search.whatsapp_id.as_ref().map(|id| Column::WhatsappId.eq(id)))
}
