//! Queries over people, memberships and sessions. They belong to no tenant: who calls is not known before they ran.

use chrono::{DateTime, Utc};
use entity::{
    AccessGrantId, RefreshTokenId, SessionId, TenantId, UserId, access_grant, membership, membership::Role,
    refresh_token, session, tenant, user_account,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, JoinType, Order, QueryFilter,
    QuerySelect, Select, sea_query::Expr,
};

use super::types::{Grant, Standing, StandingKey};
use crate::store::{SystemScope, SystemTx};

type StandingRow = (
    UserId,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    bool,
    Role,
);

type GrantedRow = (
    UserId,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
    bool,
    Role,
    AccessGrantId,
    DateTime<Utc>,
);

/// What stands behind an access token, in one query for those who belong to the tenant. An operator may be let in by a
/// grant instead.
pub async fn find_standing(
    system: &SystemScope,
    (session_id, tenant_id): StandingKey,
    now: DateTime<Utc>,
) -> Result<Option<Standing>, DbErr> {
    let member = session::Entity::belongs_to(membership::Entity)
        .from(session::Column::UserId)
        .to(membership::Column::UserId)
        .into();
    let standing = of_session(session_id)
        .join(JoinType::InnerJoin, member)
        .filter(membership::Column::TenantId.eq(tenant_id))
        .column(membership::Column::Role)
        .into_tuple::<StandingRow>();
    if let Some(row) = system.one(standing).await? {
        return Ok(Some(standing_of(row, None)));
    }
    let grant = session::Entity::belongs_to(access_grant::Entity)
        .from(session::Column::UserId)
        .to(access_grant::Column::OperatorId)
        .into();
    let granted = of_session(session_id)
        .join(JoinType::InnerJoin, grant)
        .filter(user_account::Column::Operator.eq(true))
        .filter(access_grant::Column::TenantId.eq(tenant_id))
        .filter(is_open(now))
        .column(access_grant::Column::Role)
        .column(access_grant::Column::Id)
        .column(access_grant::Column::ExpiresAt)
        .into_tuple::<GrantedRow>();
    let row = system.one(granted).await?;
    Ok(row.map(
        |(user, email, expiry, ended, changed, operator, role, id, expires_at)| {
            let grant = Grant { id, expires_at };
            standing_of((user, email, expiry, ended, changed, operator, role), Some(grant))
        },
    ))
}

/// The session with its person, to be joined with what lets the person in.
fn of_session(id: SessionId) -> Select<session::Entity> {
    let user = session::Entity::belongs_to(user_account::Entity)
        .from(session::Column::UserId)
        .to(user_account::Column::Id)
        .into();
    session::Entity::find_by_id(id)
        .join(JoinType::InnerJoin, user)
        .select_only()
        .column(session::Column::UserId)
        .column(user_account::Column::Email)
        .column(session::Column::ExpiresAt)
        .column(session::Column::EndedAt)
        .column(user_account::Column::PasswordChangedAt)
        .column(user_account::Column::Operator)
}

fn standing_of(row: StandingRow, grant: Option<Grant>) -> Standing {
    let (user_id, email, session_expires_at, session_ended_at, password_changed_at, operator, role) = row;
    Standing {
        user_id,
        email: email.into(),
        session_expires_at,
        session_ended_at,
        password_changed_at,
        operator,
        role,
        grant,
    }
}

/// Grants that let somebody in now.
pub fn is_open(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(access_grant::Column::EndedAt.is_null())
        .add(access_grant::Column::ExpiresAt.gt(now))
}

/// The tenants that an operator is let into now.
pub async fn list_grants(
    system: &SystemScope,
    operator: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<(tenant::Model, access_grant::Model)>, DbErr> {
    let grants = system
        .find::<access_grant::Entity>()
        .filter(access_grant::Column::OperatorId.eq(operator))
        .filter(is_open(now))
        .all()
        .await?;
    let mut found = Vec::with_capacity(grants.len());
    for grant in grants {
        let tenant = find_tenant(system, grant.tenant_id).await?;
        found.extend(tenant.filter(is_there).map(|tenant| (tenant, grant)));
    }
    Ok(found)
}

/// A grant.
pub async fn find_grant(system: &SystemScope, id: AccessGrantId) -> Result<Option<access_grant::Model>, DbErr> {
    system
        .find::<access_grant::Entity>()
        .filter(access_grant::Column::Id.eq(id))
        .one()
        .await
}

/// Whether anybody may enter a tenant: not one that is being deleted.
fn is_there(tenant: &tenant::Model) -> bool {
    tenant.status != tenant::Status::Deleting
}

/// A person by email address, as it is stored.
pub async fn find_user_by_email(system: &SystemScope, email: &str) -> Result<Option<user_account::Model>, DbErr> {
    system
        .find::<user_account::Entity>()
        .filter(user_account::Column::Email.eq(email))
        .one()
        .await
}

/// A person.
pub async fn find_user(system: &SystemScope, id: UserId) -> Result<Option<user_account::Model>, DbErr> {
    system
        .find::<user_account::Entity>()
        .filter(user_account::Column::Id.eq(id))
        .one()
        .await
}

/// A tenant.
pub async fn find_tenant(system: &SystemScope, id: TenantId) -> Result<Option<tenant::Model>, DbErr> {
    system
        .find::<tenant::Entity>()
        .filter(tenant::Column::Id.eq(id))
        .one()
        .await
}

/// The tenants a person belongs to, the longest membership first, without those that are being deleted.
pub async fn list_memberships(system: &SystemScope, user: UserId) -> Result<Vec<(tenant::Model, Role)>, DbErr> {
    let memberships = system
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user))
        .order_by(membership::Column::Id, Order::Asc)
        .all()
        .await?;
    let ids: Vec<TenantId> = memberships.iter().map(|membership| membership.tenant_id).collect();
    let tenants = system
        .find::<tenant::Entity>()
        .among(tenant::Column::Id, ids)
        .all()
        .await?;
    let with_tenant = memberships.into_iter().filter_map(|membership| {
        let tenant = tenants.iter().find(|tenant| tenant.id == membership.tenant_id)?;
        if !is_there(tenant) {
            return None;
        }
        Some((tenant.clone(), membership.role))
    });
    Ok(with_tenant.collect())
}

/// The tenant in whose audit log a person's own account is told of: the one that the person belongs to longest.
pub async fn home_tenant(system: &SystemScope, user: UserId) -> Result<Option<TenantId>, DbErr> {
    let memberships = list_memberships(system, user).await?;
    Ok(memberships.first().map(|(tenant, _)| tenant.id))
}

/// Whether there is anybody.
pub async fn has_users(system: &SystemScope) -> Result<bool, DbErr> {
    Ok(system.find::<user_account::Entity>().limit(1).one().await?.is_some())
}

/// Replaces a password's hash by one of the same password; sessions go on.
pub async fn set_password_hash(tx: &SystemTx, user: UserId, hash: String) -> Result<(), DbErr> {
    user_account::Entity::update_many()
        .col_expr(user_account::Column::PasswordHash, Expr::value(hash))
        .filter(user_account::Column::Id.eq(user))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Sets a new password; access tokens from before are refused from now on.
pub async fn change_password(tx: &SystemTx, user: UserId, hash: String, now: DateTime<Utc>) -> Result<(), DbErr> {
    user_account::Entity::update_many()
        .col_expr(user_account::Column::PasswordHash, Expr::value(hash))
        .col_expr(user_account::Column::PasswordChangedAt, Expr::value(now))
        .col_expr(user_account::Column::UpdatedAt, Expr::value(now))
        .filter(user_account::Column::Id.eq(user))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// A person's living sessions, the last used first, at most 100.
pub async fn list_sessions(
    system: &SystemScope,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<session::Model>, DbErr> {
    system
        .find::<session::Entity>()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .order_by(session::Column::LastUsedAt, Order::Desc)
        .limit(100)
        .all()
        .await
}

/// Inserts a session.
pub async fn insert_session(tx: &SystemTx, row: session::Model) -> Result<(), DbErr> {
    let row: session::ActiveModel = row.into();
    session::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// A session.
pub async fn find_session(system: &SystemScope, id: SessionId) -> Result<Option<session::Model>, DbErr> {
    system
        .find::<session::Entity>()
        .filter(session::Column::Id.eq(id))
        .one()
        .await
}

/// Notes that a session was used, and in which tenant it acts from now on.
pub async fn touch_session(
    tx: &SystemTx,
    id: SessionId,
    tenant: TenantId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbErr> {
    session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(now))
        .col_expr(session::Column::ExpiresAt, Expr::value(expires_at))
        .col_expr(session::Column::TenantId, Expr::value(tenant))
        .filter(session::Column::Id.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Ends sessions that have not ended; answers how many.
pub async fn end_sessions(
    tx: &SystemTx,
    which: Condition,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let result = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(now))
        .col_expr(session::Column::EndReason, Expr::value(reason))
        .filter(session::Column::EndedAt.is_null())
        .filter(which)
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected)
}

/// Inserts a refresh token.
pub async fn insert_refresh_token(
    tx: &SystemTx,
    id: RefreshTokenId,
    session_id: SessionId,
    token_hash: Vec<u8>,
    (created_at, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbErr> {
    let row = refresh_token::ActiveModel {
        id: Set(id),
        session_id: Set(session_id),
        token_hash: Set(token_hash),
        created_at: Set(created_at),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    refresh_token::Entity::insert(row)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// A refresh token by its hash.
pub async fn find_refresh_token(system: &SystemScope, hash: &[u8]) -> Result<Option<refresh_token::Model>, DbErr> {
    system
        .find::<refresh_token::Entity>()
        .filter(refresh_token::Column::TokenHash.eq(hash.to_vec()))
        .one()
        .await
}

/// When a refresh token was used, within a transaction. The outer `None`: there is no such token.
pub async fn find_token_use(tx: &SystemTx, hash: &[u8]) -> Result<Option<Option<DateTime<Utc>>>, DbErr> {
    refresh_token::Entity::find()
        .filter(refresh_token::Column::TokenHash.eq(hash.to_vec()))
        .select_only()
        .column(refresh_token::Column::UsedAt)
        .into_tuple()
        .one(tx.connection())
        .await
}

/// Takes a refresh token for use; of two at the same moment only one gets it.
pub async fn claim_refresh_token(tx: &SystemTx, hash: &[u8], now: DateTime<Utc>) -> Result<bool, DbErr> {
    let result = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(now))
        .filter(refresh_token::Column::TokenHash.eq(hash.to_vec()))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx.connection())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Inserts a person.
pub async fn insert_user(tx: &SystemTx, row: user_account::Model) -> Result<(), DbErr> {
    let row: user_account::ActiveModel = row.into();
    user_account::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Inserts a tenant.
pub async fn insert_tenant(tx: &SystemTx, row: tenant::Model) -> Result<(), DbErr> {
    let row: tenant::ActiveModel = row.into();
    tenant::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// Whether a tenant has this short name.
pub async fn is_slug_taken(tx: &SystemTx, slug: &str) -> Result<bool, DbErr> {
    let found = tenant::Entity::find().filter(tenant::Column::Slug.eq(slug));
    Ok(found.one(tx.connection()).await?.is_some())
}

/// Makes a person a member of a tenant.
pub async fn insert_membership(tx: &SystemTx, row: membership::Model) -> Result<(), DbErr> {
    let row: membership::ActiveModel = row.into();
    membership::Entity::insert(row.reset_all())
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// The oldest tenant.
pub async fn find_first_tenant(system: &SystemScope) -> Result<Option<tenant::Model>, DbErr> {
    system
        .find::<tenant::Entity>()
        .order_by(tenant::Column::Id, Order::Asc)
        .limit(1)
        .one()
        .await
}
