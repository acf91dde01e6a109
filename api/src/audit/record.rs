//! Adding entries.

use chrono::{DateTime, Utc};
use entity::{TenantId, audit_entry};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};

use super::types::{Actor, Acts, Entry};
use crate::{
    clock::new_id,
    store::{SystemTx, TenantTx},
};

/// Adds an entry to the tenant's log, within the transaction that does what it tells.
pub async fn record(tx: &TenantTx, now: DateTime<Utc>, who: &impl Acts, entry: Entry) -> Result<(), DbErr> {
    tx.append::<audit_entry::Entity, _>(row(Some(tx.tenant_id()), now, who.actor(), entry))
        .await
}

/// The same where no tenant is known yet, or none is concerned: `None` is the platform's own log.
pub async fn record_beyond(
    tx: &SystemTx,
    tenant: Option<TenantId>,
    now: DateTime<Utc>,
    who: &impl Acts,
    entry: Entry,
) -> Result<(), DbErr> {
    audit_entry::Entity::insert(row(tenant, now, who.actor(), entry))
        .exec_without_returning(tx.connection())
        .await
        .map(|_| ())
}

fn row(tenant: Option<TenantId>, now: DateTime<Utc>, actor: &Actor, entry: Entry) -> audit_entry::ActiveModel {
    let cut = |text: &str| text.chars().take(255).collect::<String>();
    audit_entry::ActiveModel {
        id: Set(new_id()),
        tenant_id: Set(tenant),
        at: Set(now),
        actor_kind: Set(actor.kind),
        actor_id: Set(actor.id.as_deref().map(str::to_owned)),
        actor_name: Set(actor.name.as_deref().map(cut)),
        address: Set(actor.origin.address.map(|address| address.to_string())),
        user_agent: Set(actor.origin.user_agent.as_deref().map(cut)),
        action: Set(entry.action.as_str().to_owned()),
        object_id: Set(entry.object_id),
        object_name: Set(entry.object_name),
        before: Set(entry.before),
        after: Set(entry.after),
        grant_id: Set(actor.grant.as_deref().map(str::to_owned)),
    }
}
