//! Queries over tenants and plans. No decision is taken here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{AccessGrantId, PlanId, TenantId, UserId, access_grant, membership, plan, session, tenant, user_account};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DbErr, EntityTrait, Order, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, IntoCondition, SimpleExpr},
};

use crate::{
    devices::queries::contains_any,
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::{SystemScope, SystemTx},
    tenants::queries::is_open,
};

/// Which tenants are wanted.
#[derive(Clone, Debug, Default)]
pub struct TenantSearch {
    /// In the name or the short name.
    pub text: Option<String>,
    pub status: Option<tenant::Status>,
    pub plan: Option<PlanId>,
}

/// A page of tenants, the newest first.
pub async fn list_tenants(
    system: &SystemScope,
    search: &TenantSearch,
    page: &Page<TenantId>,
) -> Result<Rows<tenant::Model>, GqlError> {
    let query = system.find::<tenant::Entity>().filter(condition(search));
    Ok(page.cut(page.seek(query, tenant::Column::Id, false).all().await?))
}

/// How many tenants there are.
pub async fn count_tenants(system: &SystemScope, search: &TenantSearch) -> Result<u64, DbErr> {
    system.find::<tenant::Entity>().filter(condition(search)).count().await
}

fn condition(search: &TenantSearch) -> Condition {
    use tenant::Column;
    let mut condition = Condition::all();
    if let Some(text) = search.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        condition = condition.add(contains_any(&[Column::Name, Column::Slug], text));
    }
    if let Some(status) = search.status {
        condition = condition.add(Column::Status.eq(status));
    }
    if let Some(plan) = search.plan {
        condition = condition.add(Column::PlanId.eq(plan));
    }
    condition
}

/// A tenant.
pub async fn find_tenant(system: &SystemScope, id: TenantId) -> Result<Option<tenant::Model>, DbErr> {
    let query = system.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id));
    query.one().await
}

/// Tenants by id.
pub async fn find_tenants(system: &SystemScope, ids: Vec<TenantId>) -> Result<HashMap<TenantId, tenant::Model>, DbErr> {
    let query = system.find::<tenant::Entity>();
    let rows = query.among(tenant::Column::Id, ids).all().await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Whether somebody belongs to a tenant.
pub async fn is_member(system: &SystemScope, tenant: TenantId, user: UserId) -> Result<bool, DbErr> {
    use membership::Column;
    let query = system.find::<membership::Entity>().filter(Column::UserId.eq(user));
    Ok(query.filter(Column::TenantId.eq(tenant)).one().await?.is_some())
}

/// Somebody's email address.
pub async fn email_of(system: &SystemScope, user: UserId) -> Result<String, DbErr> {
    let query = system.find::<user_account::Entity>();
    let row = query.filter(user_account::Column::Id.eq(user)).one().await?;
    Ok(row.map(|row| row.email).unwrap_or_default())
}

/// Changes columns of a tenant; answers it as it is now.
pub async fn update_tenant(
    tx: &SystemTx,
    id: TenantId,
    changes: Vec<(tenant::Column, SimpleExpr)>,
) -> Result<Option<tenant::Model>, DbErr> {
    let mut update = tenant::Entity::update_many().filter(tenant::Column::Id.eq(id));
    for (column, value) in changes {
        update = update.col_expr(column, value);
    }
    Ok(update.exec_with_returning(tx.connection()).await?.into_iter().next())
}

/// Every plan, by name.
pub async fn list_plans(system: &SystemScope) -> Result<Vec<plan::Model>, DbErr> {
    let query = system.find::<plan::Entity>();
    query.order_by(plan::Column::Name, Order::Asc).all().await
}

/// A plan.
pub async fn find_plan(system: &SystemScope, id: PlanId) -> Result<Option<plan::Model>, DbErr> {
    system
        .find::<plan::Entity>()
        .filter(plan::Column::Id.eq(id))
        .one()
        .await
}

/// Inserts a plan.
pub async fn insert_plan(tx: &SystemTx, row: plan::Model) -> Result<(), DbErr> {
    let row: plan::ActiveModel = row.into();
    plan::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Changes columns of a plan; answers it as it is now.
pub async fn update_plan(
    tx: &SystemTx,
    id: PlanId,
    changes: Vec<(plan::Column, SimpleExpr)>,
) -> Result<Option<plan::Model>, DbErr> {
    let mut update = plan::Entity::update_many().filter(plan::Column::Id.eq(id));
    for (column, value) in changes {
        update = update.col_expr(column, value);
    }
    Ok(update.exec_with_returning(tx.connection()).await?.into_iter().next())
}

/// Deletes a plan that no tenant has; answers whether there was one.
pub async fn delete_unused_plan(tx: &SystemTx, id: PlanId) -> Result<bool, DbErr> {
    let used = Expr::cust("id NOT IN (SELECT plan_id FROM tenant WHERE plan_id IS NOT NULL)");
    let delete = plan::Entity::delete_many().filter(plan::Column::Id.eq(id)).filter(used);
    Ok(delete.exec(tx.connection()).await?.rows_affected == 1)
}

/// Which grants are wanted.
#[derive(Clone, Debug, Default)]
pub struct GrantSearch {
    pub tenant: Option<TenantId>,
    /// Whether they let somebody in now.
    pub open: Option<bool>,
}

/// A page of grants, the newest first.
pub async fn list_grants(
    system: &SystemScope,
    search: &GrantSearch,
    now: DateTime<Utc>,
    page: &Page<AccessGrantId>,
) -> Result<Rows<access_grant::Model>, DbErr> {
    use access_grant::Column;
    let mut query = system.find::<access_grant::Entity>();
    if let Some(tenant) = search.tenant {
        query = query.filter(Column::TenantId.eq(tenant));
    }
    match search.open {
        Some(true) => query = query.filter(is_open(now)),
        Some(false) => query = query.filter(is_open(now).not()),
        None => {}
    }
    Ok(page.cut(page.seek(query, Column::Id, false).all().await?))
}

/// A grant.
pub async fn find_grant(system: &SystemScope, id: AccessGrantId) -> Result<Option<access_grant::Model>, DbErr> {
    let query = system.find::<access_grant::Entity>();
    query.filter(access_grant::Column::Id.eq(id)).one().await
}

/// Inserts a grant. There is at most one for an operator and a tenant that was not ended.
pub async fn insert_grant(tx: &SystemTx, row: access_grant::Model) -> Result<(), DbErr> {
    let row: access_grant::ActiveModel = row.into();
    access_grant::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Marks grants of the same operator and tenant as ended that are over by themselves.
pub async fn close_expired_grants(tx: &SystemTx, like: &access_grant::Model, now: DateTime<Utc>) -> Result<(), DbErr> {
    use access_grant::Column;
    access_grant::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::col(Column::ExpiresAt))
        .filter(Column::OperatorId.eq(like.operator_id))
        .filter(Column::TenantId.eq(like.tenant_id))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.lte(now))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Ends a grant that lets somebody in; none when it did not any more.
pub async fn end_grant(
    tx: &SystemTx,
    id: AccessGrantId,
    now: DateTime<Utc>,
) -> Result<Option<access_grant::Model>, DbErr> {
    use access_grant::Column;
    let update = access_grant::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now))
        .filter(Column::Id.eq(id).into_condition())
        .filter(is_open(now));
    Ok(update.exec_with_returning(tx.connection()).await?.into_iter().next())
}

/// An operator who belongs to this tenant only: the email address.
pub async fn operator_without_other_tenant(system: &SystemScope, id: TenantId) -> Result<Option<String>, DbErr> {
    let here = membership::Entity::find().filter(membership::Column::TenantId.eq(id));
    let living = tenant::Entity::find().filter(tenant::Column::Status.ne(tenant::Status::Deleting));
    let living = QueryTrait::into_query(living.select_only().column(tenant::Column::Id));
    let elsewhere = membership::Entity::find()
        .filter(membership::Column::TenantId.ne(id))
        .filter(membership::Column::TenantId.in_subquery(living));
    let users = |query: Select<membership::Entity>| {
        QueryTrait::into_query(query.select_only().column(membership::Column::UserId))
    };
    let only_here = Condition::all()
        .add(user_account::Column::Id.in_subquery(users(here)))
        .add(user_account::Column::Id.not_in_subquery(users(elsewhere)));
    let operators = user_account::Column::Operator.eq(true);
    let query = system
        .find::<user_account::Entity>()
        .filter(operators)
        .filter(only_here);
    Ok(query.one().await?.map(|row| row.email))
}

/// The tenants that are being deleted.
pub async fn list_deleting(system: &SystemScope) -> Result<Vec<TenantId>, DbErr> {
    let deleting = tenant::Column::Status.eq(tenant::Status::Deleting);
    let rows = system.find::<tenant::Entity>().filter(deleting).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Lets no session act in a tenant any more; its people go on in another one of theirs.
pub async fn leave_tenant(tx: &SystemTx, id: TenantId) -> Result<(), DbErr> {
    use session::Column;
    session::Entity::update_many()
        .col_expr(Column::TenantId, Expr::value(None::<TenantId>))
        .filter(Column::TenantId.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Deletes the row of a tenant that is being deleted, and what came in meanwhile; none when it is gone already.
pub async fn delete_tenant(tx: &SystemTx, id: TenantId) -> Result<Option<tenant::Model>, DbErr> {
    let found = tenant::Entity::find_by_id(id)
        .filter(tenant::Column::Status.eq(tenant::Status::Deleting))
        .one(tx.connection())
        .await?;
    let gone = tenant::Entity::delete_by_id(id).exec(tx.connection()).await?;
    Ok(found.filter(|_| gone.rows_affected == 1))
}
