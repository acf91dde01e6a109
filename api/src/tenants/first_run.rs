//! The first operator and the first tenant.

use entity::{TenantId, UserId, membership, membership::Role, tenant, user_account};
use sea_orm::DbErr;

use super::{
    password::{self, PasswordError, Passwords},
    password_strength::new_password,
    queries,
    types::Email,
};
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::{Clock, new_id},
    config::FirstRun,
    secret::Secret,
    store::{Reason, Store},
};

/// Why an operator was not made.
#[derive(Debug, thiserror::Error)]
pub enum FirstRunError {
    /// No such address can exist.
    #[error("`{0}` is no email address")]
    Email(String),
    /// The password is too short or too long.
    #[error("the operator's password can't be used: {0}")]
    WeakPassword(String),
    /// Somebody has the address already.
    #[error("there is a user with the email address {0} already")]
    Exists(String),
    /// Hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// An operator who was just made.
#[derive(Debug)]
pub struct NewOperator {
    /// The address to log in with.
    pub email: String,
    /// The password, when it was made at random: shown once, kept nowhere.
    pub generated_password: Option<Secret>,
}

/// Makes an operator and a tenant when there is nobody yet.
pub async fn prepare(
    store: &Store,
    clock: &Clock,
    passwords: &Passwords,
    config: &FirstRun,
) -> Result<Option<NewOperator>, FirstRunError> {
    if queries::has_users(&store.system(Reason::Provisioning)).await? {
        return Ok(None);
    }
    create_operator(store, clock, passwords, config).await.map(Some)
}

/// Makes an operator, as an owner of the first tenant, which is made too when there is none.
pub async fn create_operator(
    store: &Store,
    clock: &Clock,
    passwords: &Passwords,
    config: &FirstRun,
) -> Result<NewOperator, FirstRunError> {
    let email =
        Email::parse(&config.operator_email).ok_or_else(|| FirstRunError::Email(config.operator_email.clone()))?;
    let generated = config.operator_password.is_none().then(password::random);
    let password = config
        .operator_password
        .clone()
        .or_else(|| generated.clone())
        .unwrap_or_else(password::random);
    new_password(&password, "password").map_err(|error| FirstRunError::WeakPassword(error.message))?;

    let system = store.system(Reason::Provisioning);
    if queries::find_user_by_email(&system, email.as_str()).await?.is_some() {
        return Err(FirstRunError::Exists(email.as_str().to_owned()));
    }
    let now = clock.now();
    let user = user_account::Model {
        id: new_id::<UserId>(),
        email: email.as_str().to_owned(),
        name: config.operator_name.clone(),
        password_hash: passwords.hash(password).await?,
        password_changed_at: now,
        operator: true,
        created_at: now,
        updated_at: now,
    };
    let existing = queries::find_first_tenant(&system).await?;
    let tenant = existing.clone().unwrap_or_else(|| tenant::Model {
        id: new_id::<TenantId>(),
        name: config.tenant_name.clone(),
        slug: slug(&config.tenant_name),
        status: tenant::Status::Active,
        default_country: config.tenant_country.clone(),
        default_language: config.tenant_language.clone(),
        time_zone: config.tenant_time_zone.clone(),
        plan_id: None,
        limit_overrides: serde_json::json!({}),
        suspended_at: None,
        suspension_reason: None,
        created_at: now,
        updated_at: now,
    });
    let membership = membership::Model {
        id: new_id(),
        tenant_id: tenant.id,
        user_id: user.id,
        role: Role::Owner,
        created_at: now,
    };
    let told = Entry::of(Action::OperatorCreated, &user.id)
        .named(&user.email)
        .with(serde_json::json!({ "tenantId": tenant.id.to_string() }));
    let tx = system.begin().await?;
    queries::insert_user(&tx, user).await?;
    if existing.is_none() {
        queries::insert_tenant(&tx, tenant).await?;
    }
    queries::insert_membership(&tx, membership).await?;
    audit::record_beyond(&tx, None, now, &Actor::system(), told).await?;
    tx.commit().await?;
    Ok(NewOperator {
        email: email.as_str().to_owned(),
        generated_password: generated,
    })
}

/// A short name made of a long one: lower case letters, digits and single dashes.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(60);
    let slug = slug.trim_matches('-');
    if slug.is_empty() {
        "tenant".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        for (name, expected) in [
            ("My company", "my-company"),
            ("  Łódź & Co. ", "d-co"),
            ("東京", "tenant"),
            ("A--B", "a-b"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}
