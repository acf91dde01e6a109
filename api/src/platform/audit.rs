//! Who did what, in every tenant and on the platform itself.

use std::collections::HashMap;

use entity::{AuditEntryId, TenantId, audit_entry};

use super::{Platform, queries};
use crate::{
    audit::{self, Action, AuditSearch, Entry, Whose},
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    tenants::Principal,
};

impl Platform {
    /// A page of the logs, newest first, and how the tenants in it are called.
    pub async fn audit_log(
        &self,
        caller: &Principal,
        whose: Whose,
        search: &AuditSearch,
        page: &Page<AuditEntryId>,
    ) -> Result<(Rows<audit_entry::Model>, HashMap<TenantId, String>), GqlError> {
        caller.require_operator()?;
        let system = self.system();
        let rows = audit::list_across(&system, whose, search, page).await?;
        let mut tenants: Vec<TenantId> = rows.rows.iter().filter_map(|row| row.tenant_id).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let tenants = queries::find_tenants(&system, tenants).await?;
        let names = tenants.into_values().map(|tenant| (tenant.id, tenant.name));
        Ok((rows, names.collect()))
    }

    /// Writes down that the logs were exported: in the tenant's own log when it is one tenant's.
    pub async fn note_audit_export(&self, caller: &Principal, whose: Whose) -> Result<(), GqlError> {
        caller.require_operator()?;
        let tenant = match whose {
            Whose::Tenants(id) => queries::find_tenant(&self.system(), id).await?.map(|tenant| tenant.id),
            Whose::Everybodys | Whose::Platforms => None,
        };
        let tx = self.system().begin().await?;
        let told = Entry::without_object(Action::AuditLogExported);
        audit::record_beyond(&tx, tenant, self.parts.clock.now(), &caller.as_operator(), told).await?;
        Ok(tx.commit().await?)
    }
}
