//! Reads of the audit log.

use chrono::{DateTime, Utc};
use entity::{AuditEntryId, TenantId, audit_entry};
use sea_orm::{ColumnTrait, Condition, DbErr};

use super::types::Action;
use crate::{
    graphql::pagination::{Page, Rows},
    store::{SystemScope, TenantScope},
};

/// Which entries are wanted. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditSearch {
    /// One of these actions; empty is every action.
    pub actions: Vec<Action>,
    /// By this person or token.
    pub actor_id: Option<String>,
    /// On this object.
    pub object_id: Option<String>,
    /// By an operator under this access grant.
    pub grant_id: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
}

/// A page of the tenant's log, newest first.
pub async fn list(
    scope: &TenantScope,
    search: &AuditSearch,
    page: &Page<AuditEntryId>,
) -> Result<Rows<audit_entry::Model>, DbErr> {
    let query = scope.find_logged::<audit_entry::Entity>().filter(condition(search));
    Ok(page.cut(page.seek(query, audit_entry::Column::Id, false).all().await?))
}

/// Whose logs are read by those who read all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's, and the platform's own.
    Everybodys,
    /// One tenant's.
    Tenants(TenantId),
    /// The platform's own: what belongs to no tenant.
    Platforms,
}

/// A page of the logs of many, newest first. For operators.
pub async fn list_across(
    system: &SystemScope,
    whose: Whose,
    search: &AuditSearch,
    page: &Page<AuditEntryId>,
) -> Result<Rows<audit_entry::Model>, DbErr> {
    use audit_entry::Column;
    let condition = match whose {
        Whose::Everybodys => condition(search),
        Whose::Tenants(id) => condition(search).add(Column::TenantId.eq(id)),
        Whose::Platforms => condition(search).add(Column::TenantId.is_null()),
    };
    let query = system.find::<audit_entry::Entity>().filter(condition);
    Ok(page.cut(page.seek(query, Column::Id, false).all().await?))
}

/// An entry of the tenant's log.
pub async fn find(scope: &TenantScope, id: AuditEntryId) -> Result<Option<audit_entry::Model>, DbErr> {
    scope
        .find_logged::<audit_entry::Entity>()
        .filter(audit_entry::Column::Id.eq(id))
        .one()
        .await
}

fn condition(search: &AuditSearch) -> Condition {
    use audit_entry::Column;
    let mut condition = Condition::all();
    if !search.actions.is_empty() {
        condition = condition.add(Column::Action.is_in(search.actions.iter().map(|action| action.as_str())));
    }
    if let Some(actor) = &search.actor_id {
        condition = condition.add(Column::ActorId.eq(actor));
    }
    if let Some(object) = &search.object_id {
        condition = condition.add(Column::ObjectId.eq(object));
    }
    if let Some(grant) = &search.grant_id {
        condition = condition.add(Column::GrantId.eq(grant));
    }
    if let Some(from) = search.from {
        condition = condition.add(Column::At.gte(from));
    }
    if let Some(to) = search.to {
        condition = condition.add(Column::At.lt(to));
    }
    condition
}
