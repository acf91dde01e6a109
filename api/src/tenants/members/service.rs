//! Who belongs to a tenant: changing what they are, removing them. Inviting is in `invitations.rs`, letting in in
//! `accepting.rs`.

use entity::{MembershipId, UserId, membership, membership::Role, user_account};
use sea_orm::{ColumnTrait, DbErr};
use serde_json::json;

use super::queries;
use crate::{
    audit::{self, Action, Entry},
    clock::Clock,
    events::EventLog,
    graphql::{
        ErrorCode, GqlError, Refusal, UserError,
        pagination::{Page, Rows},
    },
    store::{Reason, Store, TenantScope, TenantTx},
    tenants::{Accounts, Meter, Permission, Principal, Profiles, Quota, queries as accounts},
};

/// The members of every tenant, as far as the caller may see and change them. Cheap to clone.
#[derive(Clone)]
pub struct Members {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) events: EventLog,
    pub(super) accounts: Accounts,
    pub(super) profiles: Profiles,
}

/// A member with the person.
#[derive(Clone, Debug)]
pub struct MemberRow {
    pub membership: membership::Model,
    pub user: user_account::Model,
}

impl Members {
    /// Brings the parts together.
    pub fn new(store: Store, clock: Clock, events: EventLog, accounts: Accounts, profiles: Profiles) -> Self {
        Self {
            store,
            clock,
            events,
            accounts,
            profiles,
        }
    }

    /// What a caller with this permission lists and counts members in.
    pub fn scope(&self, caller: &Principal, permission: Permission) -> Result<TenantScope, GqlError> {
        caller.require_to_see(permission)?;
        Ok(self.store.scope(caller))
    }

    /// A page of members, the longest membership first, in what [`Members::scope`] has given.
    pub async fn list(&self, scope: &TenantScope, page: &Page<MembershipId>) -> Result<Rows<MemberRow>, GqlError> {
        let found = queries::list(scope, page).await?;
        let ids = found.rows.iter().map(|row| row.user_id).collect();
        let mut people = queries::people(&self.store.system(Reason::Authentication), ids).await?;
        let rows = found.rows.into_iter().filter_map(|membership| {
            let user = people.remove(&membership.user_id)?;
            Some(MemberRow { membership, user })
        });
        Ok(Rows {
            rows: rows.collect(),
            has_next: found.has_next,
            has_previous: found.has_previous,
        })
    }

    /// A member of the tenant.
    pub async fn find(&self, caller: &Principal, id: MembershipId) -> Result<Option<MemberRow>, GqlError> {
        let scope = self.scope(caller, Permission::ReadMembers)?;
        match queries::find(&scope, id).await? {
            Some(membership) => Ok(self.with_person(membership).await?),
            None => Ok(None),
        }
    }

    /// Changes a member's role.
    pub async fn update(&self, caller: &Principal, id: MembershipId, role: Role) -> Result<MemberRow, Refusal> {
        caller.require(Permission::ManageMembers)?;
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let before = self.locked(&tx, id).await?;
        if [before.role, role].contains(&Role::Owner) && before.role != role {
            caller.require(Permission::ManageOwners)?;
        }
        if before.role == Role::Owner && role != Role::Owner {
            keep_an_owner(&tx).await?;
        }
        let changed = tx
            .update::<membership::Entity>()
            .set(membership::Column::Role, role)
            .filter(membership::Column::Id.eq(id))
            .returning()
            .await?;
        let membership = changed.into_iter().next().ok_or_else(no_member)?;
        let row = self.with_person(membership).await?.ok_or_else(no_member)?;
        let entry = Entry::of(Action::MemberUpdated, &id)
            .named(&row.user.email)
            .changed(json!({ "role": name(before.role) }), json!({ "role": name(role) }));
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        self.accounts.authenticator().forget_user(row.user.id);
        Ok(row)
    }

    /// Removes a member. Everybody may leave; others are removed by those who manage members.
    pub async fn remove(&self, caller: &Principal, id: MembershipId) -> Result<MembershipId, Refusal> {
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let before = self.locked(&tx, id).await;
        let leaves = |user: UserId| caller.person().is_some_and(|person| person.user_id == user);
        if !before.as_ref().is_ok_and(|before| leaves(before.user_id)) {
            caller.require(Permission::ManageMembers)?;
        }
        let before = before?;
        if before.role == Role::Owner {
            if !leaves(before.user_id) {
                caller.require(Permission::ManageOwners)?;
            }
            keep_an_owner(&tx).await?;
        }
        tx.delete::<membership::Entity>(membership::Column::Id.eq(id)).await?;
        let quota = Quota::new(caller.profile().clone(), now);
        quota.recount(&tx, Meter::Members).await?;
        let user_id = before.user_id;
        let person = self.with_person(before).await?;
        let email = person.map(|row| row.user.email).unwrap_or_default();
        let entry = Entry::of(Action::MemberRemoved, &id).named(&email);
        audit::record(&tx, now, caller, entry).await?;
        tx.commit().await?;
        self.accounts.authenticator().forget_user(user_id);
        Ok(id)
    }

    async fn locked(&self, tx: &TenantTx, id: MembershipId) -> Result<membership::Model, Refusal> {
        queries::lock(tx).await?;
        let row = tx.find_by_id::<membership::Entity>(id).await?;
        row.ok_or_else(|| no_member().into())
    }

    async fn with_person(&self, membership: membership::Model) -> Result<Option<MemberRow>, DbErr> {
        let user = accounts::find_user(&self.store.system(Reason::Authentication), membership.user_id).await?;
        Ok(user.map(|user| MemberRow { membership, user }))
    }
}

async fn keep_an_owner(tx: &TenantTx) -> Result<(), Refusal> {
    if queries::count_owners(tx).await? < 2 {
        let message = "A tenant always has an owner. Make somebody else an owner first.";
        return Err(UserError::new(ErrorCode::Conflict, message).at("id").into());
    }
    Ok(())
}

/// A role as the API names it, for the audit log.
pub(super) fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role).to_uppercase()
}

fn no_member() -> UserError {
    UserError::not_found("member").at("id")
}
