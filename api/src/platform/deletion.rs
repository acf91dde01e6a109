//! Deciding that a tenant goes.

use entity::{TenantId, tenant};
use sea_orm::{ActiveEnum, sea_query::Expr};

use super::{
    Platform, queries,
    service::{audited_now, no_tenant},
};
use crate::{
    audit::{self, Action, Entry},
    graphql::{ErrorCode, Refusal, UserError},
    tenants::Principal,
};

impl Platform {
    /// Marks a tenant as being deleted: from now on nobody gets in, and `erasure.rs` deletes what it owns. `confirm` is
    /// its short name. Asking again changes nothing.
    pub async fn delete_tenant(
        &self,
        caller: &Principal,
        id: TenantId,
        confirm: &str,
    ) -> Result<tenant::Model, Refusal> {
        use tenant::Column;
        caller.require_operator()?;
        let found = self.tenant(caller, id).await?.ok_or_else(no_tenant)?;
        if confirm != found.slug {
            let message = format!("Write the tenant's short name, {}, to delete it.", found.slug);
            return Err(UserError::invalid("confirm", message).into());
        }
        if found.status == tenant::Status::Deleting {
            return Ok(found);
        }
        if let Some(operator) = queries::operator_without_other_tenant(&self.system(), id).await? {
            let message =
                format!("{operator} runs the platform and belongs to no other tenant. Invite them to one first.");
            return Err(UserError::new(ErrorCode::Conflict, message).at("id").into());
        }
        let now = self.parts.clock.now();
        let columns = vec![
            (Column::Status, Expr::value(tenant::Status::Deleting.to_value())),
            (Column::UpdatedAt, Expr::value(now)),
        ];
        let tx = self.system().begin().await?;
        let changed = queries::update_tenant(&tx, id, columns).await?;
        let row = changed.ok_or_else(no_tenant)?;
        // In the platform's own log: the tenant's goes with it.
        let told = Entry::of(Action::TenantDeletionBegun, &id).named(&row.name);
        audit::record_beyond(&tx, None, now, &caller.as_operator(), told.with(audited_now(&row))).await?;
        tx.commit().await?;
        self.parts.profiles.forget();
        self.parts.accounts.authenticator().look_again();
        self.parts.erase.notify_one();
        Ok(row)
    }
}
