//! Makes a tenant with its first owner.

use entity::{PlanId, TenantId, UserId, membership, membership::Role, tenant, user_account};

use super::{first_run, password, queries, service::Accounts, tenancy::audited, types::Email};
use crate::{
    audit::{self, Action, Acts, Entry},
    clock::new_id,
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    secret::Secret,
    store::Reason,
};

/// A tenant to be made: checked, but for what only the database knows.
#[derive(Clone, Debug)]
pub struct NewTenant {
    pub name: String,
    /// Made of the name when left out.
    pub slug: Option<String>,
    pub default_country: String,
    pub default_language: String,
    pub time_zone: String,
    pub plan_id: Option<PlanId>,
    pub limit_overrides: serde_json::Value,
}

/// Who owns it first.
#[derive(Clone, Debug)]
pub struct NewOwner {
    pub email: String,
    /// For a new account; the address when left out.
    pub name: Option<String>,
}

impl Accounts {
    /// Makes a tenant and its first owner. Answers a password when the owner had no account: it is shown once.
    pub async fn create_tenant(
        &self,
        who: &impl Acts,
        new: NewTenant,
        owner: NewOwner,
    ) -> Result<(tenant::Model, Option<Secret>), Refusal> {
        let email =
            Email::parse(&owner.email).ok_or_else(|| UserError::invalid("ownerEmail", "This is no email address."))?;
        let system = self.store().system(Reason::Provisioning);
        let known = queries::find_user_by_email(&system, email.as_str()).await?;
        let now = self.clock().now();
        let tenant = tenant::Model {
            id: new_id::<TenantId>(),
            slug: new.slug.clone().unwrap_or_else(|| first_run::slug(&new.name)),
            name: new.name,
            status: tenant::Status::Active,
            default_country: new.default_country,
            default_language: new.default_language,
            time_zone: new.time_zone,
            plan_id: new.plan_id,
            limit_overrides: new.limit_overrides,
            suspended_at: None,
            suspension_reason: None,
            created_at: now,
            updated_at: now,
        };
        let secret = known.is_none().then(password::random);
        let user_id = known.as_ref().map_or_else(new_id::<UserId>, |user| user.id);
        let fresh = match &secret {
            None => None,
            Some(secret) => Some(user_account::Model {
                id: user_id,
                email: email.as_str().to_owned(),
                name: owner.name.unwrap_or_else(|| email.as_str().to_owned()),
                password_hash: self.hash(secret.clone()).await.map_err(GqlError::internal)?,
                password_changed_at: now,
                operator: false,
                created_at: now,
                updated_at: now,
            }),
        };
        let membership = membership::Model {
            id: new_id(),
            tenant_id: tenant.id,
            user_id,
            role: Role::Owner,
            created_at: now,
        };
        let tx = system.begin().await?;
        let row = with_free_slug(&tx, tenant, new.slug.is_some()).await?;
        if let Some(user) = fresh {
            queries::insert_user(&tx, user).await?;
        }
        queries::insert_membership(&tx, membership).await?;
        let told = Entry::of(Action::TenantCreated, &row.id).named(&row.name);
        audit::record_beyond(&tx, Some(row.id), now, who, told.with(audited(&row))).await?;
        tx.commit().await?;
        Ok((row, secret))
    }
}

/// Inserts a tenant. A short name that was made up gets a number when it is taken; one that was asked for is refused.
async fn with_free_slug(
    tx: &crate::store::SystemTx,
    mut tenant: tenant::Model,
    asked_for: bool,
) -> Result<tenant::Model, Refusal> {
    let taken = || UserError::new(ErrorCode::AlreadyExists, "Another tenant has this short name.").at("slug");
    let wanted = tenant.slug.clone();
    // Looked up first: on Postgres a failed statement would end the transaction.
    for number in 2..100 {
        if !queries::is_slug_taken(tx, &tenant.slug).await? {
            let inserted = queries::insert_tenant(tx, tenant.clone()).await;
            inserted.map_err(|error| Refusal::if_taken(error, taken()))?;
            return Ok(tenant);
        }
        if asked_for {
            break;
        }
        tenant.slug = format!("{wanted}-{number}");
    }
    Err(taken().into())
}
