//! Reads of devices. No decision is taken here.

use std::collections::HashMap;

use entity::{DeviceId, device};
use sea_orm::{
    ColumnTrait, Condition, DbErr, ExprTrait, Order,
    sea_query::{Expr, Func, SimpleExpr},
};

use crate::{
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::TenantScope,
};

/// Which devices are wanted.
#[derive(Clone, Debug, Default)]
pub struct DeviceSearch {
    pub status: Vec<device::Status>,
    pub connected: Option<bool>,
    pub text: Option<String>,
    pub tag: Option<String>,
}

/// How devices are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Created { ascending: bool },
    Name { ascending: bool },
}

/// A device of the tenant.
pub async fn find(scope: &TenantScope, id: DeviceId) -> Result<Option<device::Model>, DbErr> {
    scope.find_by_id::<device::Entity>(id).await
}

/// A device by the tenant's own key.
pub async fn find_by_key(scope: &TenantScope, key: &str) -> Result<Option<device::Model>, DbErr> {
    scope
        .find::<device::Entity>()
        .filter(device::Column::Key.eq(key))
        .one()
        .await
}

/// Several devices of the tenant.
pub async fn find_many(scope: &TenantScope, ids: &[DeviceId]) -> Result<HashMap<DeviceId, device::Model>, DbErr> {
    let rows = scope
        .find::<device::Entity>()
        .among(device::Column::Id, ids.iter().copied())
        .all()
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of devices sorted by creation.
pub async fn list_by_creation(
    scope: &TenantScope,
    search: &DeviceSearch,
    ascending: bool,
    page: &Page<DeviceId>,
) -> Result<Rows<device::Model>, GqlError> {
    let query = scope.find::<device::Entity>().filter(condition(search));
    Ok(page.cut(page.seek(query, device::Column::Id, ascending).all().await?))
}

/// A page of devices sorted by name, equal names by id.
pub async fn list_by_name(
    scope: &TenantScope,
    search: &DeviceSearch,
    ascending: bool,
    page: &Page<(String, DeviceId)>,
) -> Result<Rows<device::Model>, GqlError> {
    use device::Column::{Id, Name};
    let beyond = |(name, id): &(String, DeviceId), later: bool| {
        let further = if later { Name.gt(name) } else { Name.lt(name) };
        let further_id = if later { Id.gt(*id) } else { Id.lt(*id) };
        Condition::any()
            .add(further)
            .add(Condition::all().add(Name.eq(name)).add(further_id))
    };
    let mut query = scope.find::<device::Entity>().filter(condition(search));
    if let Some(after) = &page.after {
        query = query.filter(beyond(after, ascending));
    }
    if let Some(before) = &page.before {
        query = query.filter(beyond(before, !ascending));
    }
    let order = || {
        if ascending == page.backwards {
            Order::Desc
        } else {
            Order::Asc
        }
    };
    let rows = query
        .order_by(Name, order())
        .order_by(Id, order())
        .limit(page.limit + 1)
        .all()
        .await?;
    Ok(page.cut(rows))
}

/// How many devices there are in all.
pub async fn count(scope: &TenantScope, search: &DeviceSearch) -> Result<u64, DbErr> {
    scope.find::<device::Entity>().filter(condition(search)).count().await
}

/// How many devices there are in each state.
pub async fn count_by_status(scope: &TenantScope) -> Result<Vec<(device::Status, i64)>, DbErr> {
    let status = Expr::col(device::Column::Status);
    scope
        .find::<device::Entity>()
        .group_by([status.clone()])
        .tuples([status, Func::count(Expr::col(device::Column::Id)).into()])
        .await
}

fn condition(search: &DeviceSearch) -> Condition {
    use device::Column;
    let mut condition = Condition::all();
    if !search.status.is_empty() {
        condition = condition.add(Column::Status.is_in(search.status.iter().copied()));
    }
    match search.connected {
        Some(true) => condition = condition.add(Column::Status.eq(device::Status::Connected)),
        Some(false) => condition = condition.add(Column::Status.ne(device::Status::Connected)),
        None => {}
    }
    if let Some(text) = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        condition = condition.add(contains_any(
            &[Column::Name, Column::Key, Column::PhoneNumber, Column::PushName],
            text,
        ));
    }
    if let Some(tag) = &search.tag {
        // Tags are a JSON array of strings: the quoted tag stands in its text on both databases.
        let quoted = serde_json::Value::from(tag.as_str()).to_string();
        let text = Expr::col(Column::Tags).cast_as("text");
        condition = condition.add(text.like(like_pattern(&quoted)));
    }
    condition
}

/// Whether any of the columns contains the text, whatever its case.
pub fn contains_any<C: ColumnTrait>(columns: &[C], text: &str) -> Condition {
    let pattern = like_pattern(&text.to_lowercase());
    columns.iter().fold(Condition::any(), |condition, column| {
        let lower: SimpleExpr = Func::lower(Expr::col(*column)).into();
        condition.add(lower.like(pattern.clone()))
    })
}

/// A LIKE pattern that finds the text as it stands.
fn like_pattern(text: &str) -> sea_orm::sea_query::LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    sea_orm::sea_query::LikeExpr::new(format!("%{escaped}%")).escape('\\')
}
