//! Queries over tenants and plans. No decision is taken here.

use entity::{PlanId, TenantId, plan, tenant};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DbErr, EntityTrait, Order, QueryFilter,
    sea_query::{Expr, SimpleExpr},
};

use crate::{
    devices::queries::contains_any,
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::{SystemScope, SystemTx},
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
