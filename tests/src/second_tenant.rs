//! A second tenant with a member of its own, written straight into the database: the API cannot make one yet.

use anyhow::{Context, Result};
use entity::{membership, tenant, user_account};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};

use crate::postgres::connect;

/// The member has the operator's password, because it has the operator's hash.
pub async fn second_tenant(url: &str, email: &str) -> Result<()> {
    let connection = connect(url).await?;
    let now = api::clock::Clock::system().now();
    let home = tenant::Entity::find()
        .one(&connection)
        .await?
        .context("there is no tenant")?;
    let operator = user_account::Entity::find()
        .one(&connection)
        .await?
        .context("there is no operator")?;
    let member = membership::Entity::find()
        .one(&connection)
        .await?
        .context("there is no member")?;
    let (tenant_id, user_id) = (api::clock::new_id(), api::clock::new_id());

    let mut other = home.into_active_model();
    other.id = Set(tenant_id);
    other.name = Set("Stranger".to_owned());
    other.slug = Set("stranger".to_owned());
    other.insert(&connection).await?;
    let mut stranger = operator.into_active_model();
    stranger.id = Set(user_id);
    stranger.email = Set(email.to_owned());
    stranger.operator = Set(false);
    stranger.insert(&connection).await?;
    let mut joined = member.into_active_model();
    joined.id = Set(api::clock::new_id());
    joined.tenant_id = Set(tenant_id);
    joined.user_id = Set(user_id);
    joined.created_at = Set(now);
    joined.insert(&connection).await?;
    Ok(connection.close().await?)
}
