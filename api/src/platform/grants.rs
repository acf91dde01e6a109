//! Operators are let into a tenant for a while.
//!
//! **Invariant:** an operator who does not belong to a tenant reads and changes nothing of it but under an open grant, and
//! every act under it carries the grant in the tenant's audit log. A grant lasts at most eight hours, and gives nothing
//! that would let anybody in after it: see `Permission::is_held`.

use std::collections::HashMap;

use chrono::TimeDelta;
use entity::{AccessGrantId, TenantId, access_grant, membership::Role, tenant};
use sea_orm::ActiveEnum;
use serde_json::json;

use super::{Platform, queries, queries::GrantSearch, service::check_not_deleting, types::parse_reason};
use crate::{
    audit::{self, Action, Entry},
    clock::new_id,
    graphql::{
        ErrorCode, GqlError, Refusal, UserError,
        pagination::{Page, Rows},
    },
    tenants::Principal,
};

/// The longest grant, in minutes.
const LONGEST: i32 = 8 * 60;
/// A grant whose length nobody has chosen, in minutes.
const USUAL: i32 = 60;

/// A grant with its tenant.
#[derive(Clone, Debug)]
pub struct Granted {
    pub grant: access_grant::Model,
    pub tenant: tenant::Model,
}

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct GrantWish {
    pub tenant: TenantId,
    pub reason: String,
    pub role: Role,
    pub minutes: Option<i32>,
}

impl Platform {
    /// Lets the caller into a tenant for a while.
    pub async fn grant_access(&self, caller: &Principal, wish: GrantWish) -> Result<Granted, Refusal> {
        caller.require_operator()?;
        let person = caller.require_person()?;
        let reason = parse_reason(&wish.reason)?;
        let length = parse_length(wish.minutes)?;
        if wish.role == Role::Owner {
            let message = "Nobody is let in as an owner. Choose ADMIN, AGENT or ANALYST.";
            return Err(UserError::invalid("role", message).into());
        }
        let system = self.system();
        let found = queries::find_tenant(&system, wish.tenant).await?;
        let tenant = found.ok_or_else(|| UserError::not_found("tenant").at("tenantId"))?;
        check_not_deleting(&tenant)?;
        if queries::is_member(&system, tenant.id, person.user_id).await? {
            let message = "You belong to this tenant: act in it as its member.";
            return Err(UserError::new(ErrorCode::Conflict, message).at("tenantId").into());
        }
        let now = self.parts.clock.now();
        let grant = access_grant::Model {
            id: new_id(),
            tenant_id: tenant.id,
            operator_id: person.user_id,
            operator_email: queries::email_of(&system, person.user_id).await?,
            role: wish.role,
            reason,
            created_at: now,
            expires_at: now + length,
            ended_at: None,
        };
        let told = Entry::of(Action::TenantAccessGranted, &grant.id)
            .named(&grant.operator_email)
            .with(json!({
                "reason": grant.reason,
                "role": grant.role.to_value().to_uppercase(),
                "expiresAt": grant.expires_at,
            }));
        let tx = system.begin().await?;
        queries::close_expired_grants(&tx, &grant, now).await?;
        queries::insert_grant(&tx, grant.clone()).await.map_err(open_already)?;
        audit::record_beyond(&tx, Some(tenant.id), now, &caller.as_operator(), told).await?;
        tx.commit().await?;
        Ok(Granted { grant, tenant })
    }

    /// Ends a grant: at once on this node, within a second on the others. Ending it again changes nothing.
    pub async fn revoke_access(&self, caller: &Principal, id: AccessGrantId) -> Result<Granted, Refusal> {
        caller.require_operator()?;
        let none = || UserError::not_found("access grant").at("id");
        let now = self.parts.clock.now();
        let tx = self.system().begin().await?;
        let ended = queries::end_grant(&tx, id, now).await?;
        if let Some(grant) = &ended {
            let told = Entry::of(Action::TenantAccessRevoked, &id).named(&grant.operator_email);
            audit::record_beyond(&tx, Some(grant.tenant_id), now, &caller.as_operator(), told).await?;
        }
        tx.commit().await?;
        let grant = match ended {
            Some(grant) => grant,
            None => queries::find_grant(&self.system(), id).await?.ok_or_else(none)?,
        };
        self.parts.accounts.authenticator().forget_user(grant.operator_id);
        let tenant = queries::find_tenant(&self.system(), grant.tenant_id).await?;
        let tenant = tenant.ok_or_else(none)?;
        Ok(Granted { grant, tenant })
    }

    /// A page of grants, newest first.
    pub async fn grants(
        &self,
        caller: &Principal,
        search: &GrantSearch,
        page: &Page<AccessGrantId>,
    ) -> Result<Rows<Granted>, GqlError> {
        caller.require_operator()?;
        let system = self.system();
        let found = queries::list_grants(&system, search, self.parts.clock.now(), page).await?;
        let ids = found.rows.iter().map(|grant| grant.tenant_id).collect();
        let tenants: HashMap<TenantId, tenant::Model> = queries::find_tenants(&system, ids).await?;
        let rows = found.rows.into_iter().filter_map(|grant| {
            let tenant = tenants.get(&grant.tenant_id)?.clone();
            Some(Granted { grant, tenant })
        });
        Ok(Rows {
            rows: rows.collect(),
            has_next: found.has_next,
            has_previous: found.has_previous,
        })
    }
}

fn parse_length(minutes: Option<i32>) -> Result<TimeDelta, UserError> {
    match minutes.unwrap_or(USUAL) {
        minutes @ 1..=LONGEST => Ok(TimeDelta::minutes(minutes.into())),
        _ => Err(UserError::invalid(
            "minutes",
            format!("Access lasts 1 to {LONGEST} minutes."),
        )),
    }
}

fn open_already(error: sea_orm::DbErr) -> Refusal {
    let message = "You are let into this tenant already. End that access first to change it.";
    Refusal::if_taken(error, UserError::new(ErrorCode::AlreadyExists, message).at("tenantId"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_ends_after_eight_hours_at_the_latest() {
        assert_eq!(parse_length(None).ok(), Some(TimeDelta::hours(1)));
        assert_eq!(parse_length(Some(480)).ok(), Some(TimeDelta::hours(8)));
        assert!(parse_length(Some(481)).is_err() && parse_length(Some(0)).is_err());
    }
}
