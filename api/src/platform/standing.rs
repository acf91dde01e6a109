//! Whether a tenant may act: suspended and let act again.
//!
//! **Invariant:** a change of the state, its audit entry and its event commit together, once: of two operators who suspend
//! at the same moment one is told that it is done already.

use entity::{TenantId, event, tenant};
use sea_orm::{ActiveEnum, ColumnTrait};
use serde_json::json;

use super::{
    Platform,
    service::{check_not_deleting, no_tenant},
    types::parse_note,
};
use crate::{
    audit::{self, Action, Entry},
    events::NewEvent,
    graphql::{ErrorCode, Refusal, UserError},
    tenants::Principal,
};

impl Platform {
    /// Stops a tenant from sending and changing anything. Within a second it counts on every server.
    pub async fn suspend_tenant(
        &self,
        caller: &Principal,
        id: TenantId,
        reason: Option<&str>,
    ) -> Result<tenant::Model, Refusal> {
        caller.require_operator()?;
        let reason = parse_note(reason, "reason")?;
        let found = self.tenant(caller, id).await?.ok_or_else(no_tenant)?;
        check_not_deleting(&found)?;
        let suspended = self
            .change_status(caller, id, tenant::Status::Suspended, reason)
            .await?;
        suspended.ok_or_else(|| UserError::new(ErrorCode::Conflict, "The tenant is suspended already.").into())
    }

    /// Lets a suspended tenant act again; its queued messages go out. One that acts is left as it is.
    pub async fn activate_tenant(&self, caller: &Principal, id: TenantId) -> Result<tenant::Model, Refusal> {
        caller.require_operator()?;
        let found = self.tenant(caller, id).await?.ok_or_else(no_tenant)?;
        check_not_deleting(&found)?;
        let activated = self.change_status(caller, id, tenant::Status::Active, None).await?;
        Ok(activated.unwrap_or(found))
    }

    /// Goes over to another state; none when the tenant is not in the one before it.
    async fn change_status(
        &self,
        caller: &Principal,
        id: TenantId,
        to: tenant::Status,
        reason: Option<String>,
    ) -> Result<Option<tenant::Model>, Refusal> {
        use tenant::Column;
        let (from, action) = match to {
            tenant::Status::Suspended => (tenant::Status::Active, Action::TenantSuspended),
            _ => (tenant::Status::Suspended, Action::TenantActivated),
        };
        let now = self.parts.clock.now();
        let since = (to == tenant::Status::Suspended).then_some(now);
        let tx = self.parts.store.scope(&caller.look_into(id)?).begin().await?;
        let changed = tx
            .update::<tenant::Entity>()
            .set(Column::Status, to.to_value())
            .set(Column::SuspendedAt, since)
            .set(Column::SuspensionReason, reason.clone())
            .set(Column::UpdatedAt, now)
            .filter(Column::Status.eq(from))
            .returning()
            .await?;
        let Some(row) = changed.into_iter().next() else {
            return Ok(None);
        };
        let told = Entry::of(action, &id).named(&row.name);
        let told = match &reason {
            Some(reason) => told.with(json!({ "reason": reason })),
            None => told,
        };
        audit::record(&tx, now, &caller.as_operator(), told).await?;
        let data = json!({ "status": to.to_value(), "reason": reason });
        let event = NewEvent::of_tenant(event::Type::TenantStatus, data);
        self.parts.events.commit(tx, vec![event]).await?;
        self.parts.profiles.forget();
        Ok(Some(row))
    }
}
