//! Queries over API tokens.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use entity::{ApiTokenId, DeviceId, api_token, device};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    graphql::pagination::{Page, Rows},
    store::{SystemScope, SystemTx, TenantScope, TenantTx},
};

/// A token by the hash of its secret, whosever it is: who calls is not known yet.
pub async fn find_by_secret(system: &SystemScope, hash: &[u8]) -> Result<Option<api_token::Model>, DbErr> {
    system
        .find::<api_token::Entity>()
        .filter(api_token::Column::SecretHash.eq(hash.to_vec()))
        .one()
        .await
}

/// A token of the tenant.
pub async fn find(scope: &TenantScope, id: ApiTokenId) -> Result<Option<api_token::Model>, DbErr> {
    scope.find_by_id::<api_token::Entity>(id).await
}

/// A page of the tenant's tokens, newest first.
pub async fn list(scope: &TenantScope, page: &Page<ApiTokenId>) -> Result<Rows<api_token::Model>, DbErr> {
    let query = scope.find::<api_token::Entity>();
    Ok(page.cut(page.seek(query, api_token::Column::Id, false).all().await?))
}

/// How many tokens the tenant has.
pub async fn count(scope: &TenantScope) -> Result<u64, DbErr> {
    scope.find::<api_token::Entity>().count().await
}

/// How many of these devices the tenant has.
pub async fn count_devices(tx: &TenantTx, ids: &[DeviceId]) -> Result<u64, DbErr> {
    let known = device::Column::Id.is_in(ids.iter().copied());
    tx.find::<device::Entity>().filter(known).count().await
}

/// Notes when and from where a token was used last.
pub async fn set_last_use(
    tx: &SystemTx,
    id: ApiTokenId,
    at: DateTime<Utc>,
    address: Option<IpAddr>,
) -> Result<(), DbErr> {
    use api_token::Column;
    api_token::Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(at))
        .col_expr(
            Column::LastUsedAddress,
            Expr::value(address.map(|address| address.to_string())),
        )
        .filter(Column::Id.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}
