//! Reads of chats. No decision is taken here.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{ChatId, DeviceId, chat};
use sea_orm::{
    ColumnTrait, Condition, DbErr, Order,
    sea_query::{Expr, Func, SimpleExpr},
};

use crate::{
    devices::queries::contains_any,
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::TenantScope,
};

/// Which chats are wanted.
#[derive(Clone, Debug, Default)]
pub struct ChatSearch {
    pub device_id: Option<DeviceId>,
    pub kind: Vec<chat::Kind>,
    pub unread: Option<bool>,
    pub text: Option<String>,
}

/// What a chat is sorted by: when something last passed through it, then its id.
pub type ChatKey = (DateTime<Utc>, ChatId);

/// A chat of the tenant.
pub async fn find(scope: &TenantScope, id: ChatId) -> Result<Option<chat::Model>, DbErr> {
    scope.find_by_id::<chat::Entity>(id).await
}

/// Several chats of the tenant.
pub async fn find_many(scope: &TenantScope, ids: &[ChatId]) -> Result<HashMap<ChatId, chat::Model>, DbErr> {
    let rows = scope
        .find::<chat::Entity>()
        .among(chat::Column::Id, ids.iter().copied())
        .all()
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of chats, the most recent first.
pub async fn list(
    scope: &TenantScope,
    search: &ChatSearch,
    page: &Page<ChatKey>,
) -> Result<Rows<chat::Model>, GqlError> {
    use chat::Column::{Id, LastMessageAt};
    let beyond = |(at, id): &ChatKey, older: bool| {
        let (further, further_id) = if older {
            (LastMessageAt.lt(*at), Id.lt(*id))
        } else {
            (LastMessageAt.gt(*at), Id.gt(*id))
        };
        Condition::any()
            .add(further)
            .add(Condition::all().add(LastMessageAt.eq(*at)).add(further_id))
    };
    let mut query = scope.find::<chat::Entity>().filter(condition(search));
    if let Some(after) = &page.after {
        query = query.filter(beyond(after, true));
    }
    if let Some(before) = &page.before {
        query = query.filter(beyond(before, false));
    }
    let order = || if page.backwards { Order::Asc } else { Order::Desc };
    let rows = query
        .order_by(LastMessageAt, order())
        .order_by(Id, order())
        .limit(page.limit + 1)
        .all()
        .await?;
    Ok(page.cut(rows))
}

/// How many chats there are in all.
pub async fn count(scope: &TenantScope, search: &ChatSearch) -> Result<u64, DbErr> {
    scope.find::<chat::Entity>().filter(condition(search)).count().await
}

/// How many messages are unread in all chats of each of these devices.
pub async fn unread_by_device(scope: &TenantScope, ids: &[DeviceId]) -> Result<HashMap<DeviceId, i64>, DbErr> {
    let device = Expr::col(chat::Column::DeviceId);
    let sum: SimpleExpr = Func::sum(Expr::col(chat::Column::UnreadCount)).into();
    let rows = scope
        .find::<chat::Entity>()
        .among(chat::Column::DeviceId, ids.iter().copied())
        .filter(chat::Column::UnreadCount.gt(0))
        .group_by([device.clone()])
        .tuples::<(DeviceId, i64)>([device, sum])
        .await?;
    Ok(rows.into_iter().collect())
}

/// What these people call themselves, each as a device knows them. Who is not known is left out.
pub async fn names(scope: &TenantScope, people: &[(DeviceId, &str)]) -> Result<Vec<(DeviceId, String, String)>, DbErr> {
    use chat::Column::{DeviceId, Jid, Name};
    // What one device knows of another's people is found as well; an answer says whose it is.
    let (devices, jids): (HashSet<_>, HashSet<&str>) = people.iter().copied().unzip();
    let rows = scope
        .find::<chat::Entity>()
        .among(DeviceId, devices)
        .among(Jid, jids)
        .filter(Name.is_not_null())
        .tuples([DeviceId, Jid, Name].map(Expr::col))
        .await?;
    Ok(rows)
}

fn condition(search: &ChatSearch) -> Condition {
    use chat::Column;
    // Every chat begins with a message; one without a time could not be sorted.
    let mut condition = Condition::all().add(Column::LastMessageAt.is_not_null());
    if let Some(device_id) = search.device_id {
        condition = condition.add(Column::DeviceId.eq(device_id));
    }
    if !search.kind.is_empty() {
        condition = condition.add(Column::Kind.is_in(search.kind.iter().copied()));
    }
    match search.unread {
        Some(true) => condition = condition.add(Column::UnreadCount.gt(0)),
        Some(false) => condition = condition.add(Column::UnreadCount.eq(0)),
        None => {}
    }
    if let Some(text) = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        condition = condition.add(contains_any(&[Column::Name, Column::PhoneNumber, Column::Jid], text));
    }
    condition
}
