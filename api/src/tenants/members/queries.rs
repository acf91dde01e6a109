//! Queries over members and invitations.

use std::collections::HashMap;

use entity::{InvitationId, MembershipId, UserId, invitation, membership, membership::Role, tenant, user_account};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    graphql::pagination::{Page, Rows},
    store::{SystemScope, SystemTx, TenantScope, TenantTx},
};

/// A member of the tenant.
pub async fn find(scope: &TenantScope, id: MembershipId) -> Result<Option<membership::Model>, DbErr> {
    scope.find_by_id::<membership::Entity>(id).await
}

/// A page of members, the longest membership first.
pub async fn list(scope: &TenantScope, page: &Page<MembershipId>) -> Result<Rows<membership::Model>, DbErr> {
    let query = scope.find::<membership::Entity>();
    Ok(page.cut(page.seek(query, membership::Column::Id, true).all().await?))
}

/// How many members there are.
pub async fn count(scope: &TenantScope) -> Result<u64, DbErr> {
    scope.find::<membership::Entity>().count().await
}

/// How many owners there are.
pub async fn count_owners(tx: &TenantTx) -> Result<u64, DbErr> {
    let owners = membership::Column::Role.eq(Role::Owner);
    tx.find::<membership::Entity>().filter(owners).count().await
}

/// Lets one transaction at a time change who belongs to the tenant.
pub async fn lock(tx: &TenantTx) -> Result<(), DbErr> {
    use tenant::Column::UpdatedAt;
    tx.update::<tenant::Entity>()
        .set_to(UpdatedAt, Expr::col(UpdatedAt))
        .execute()
        .await
        .map(|_| ())
}

/// People by id.
pub async fn people(system: &SystemScope, ids: Vec<UserId>) -> Result<HashMap<UserId, user_account::Model>, DbErr> {
    let rows = system
        .find::<user_account::Entity>()
        .among(user_account::Column::Id, ids)
        .all()
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// An open invitation of the tenant.
pub async fn find_invitation(scope: &TenantScope, id: InvitationId) -> Result<Option<invitation::Model>, DbErr> {
    scope.find_by_id::<invitation::Entity>(id).await
}

/// A page of open invitations, newest first.
pub async fn list_invitations(
    scope: &TenantScope,
    page: &Page<InvitationId>,
) -> Result<Rows<invitation::Model>, DbErr> {
    let query = scope.find::<invitation::Entity>();
    Ok(page.cut(page.seek(query, invitation::Column::Id, false).all().await?))
}

/// How many open invitations there are.
pub async fn count_invitations(scope: &TenantScope) -> Result<u64, DbErr> {
    scope.find::<invitation::Entity>().count().await
}

/// An invitation by what stands in its link.
pub async fn find_by_token(system: &SystemScope, hash: &[u8]) -> Result<Option<invitation::Model>, DbErr> {
    system
        .find::<invitation::Entity>()
        .filter(invitation::Column::TokenHash.eq(hash.to_vec()))
        .one()
        .await
}

/// Uses up an invitation; of two at the same moment only one gets it.
pub async fn claim_invitation(tx: &SystemTx, hash: &[u8]) -> Result<bool, DbErr> {
    let result = invitation::Entity::delete_many()
        .filter(invitation::Column::TokenHash.eq(hash.to_vec()))
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}
