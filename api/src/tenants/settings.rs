//! What a tenant has chosen for itself.

use entity::tenant;
use sea_orm::DbErr;

use crate::{
    graphql::Refusal,
    phone::{self, E164},
    store::TenantScope,
};

/// The country whose local phone numbers are meant, as ISO 3166-1 alpha-2.
pub async fn default_country(scope: &TenantScope) -> Result<String, DbErr> {
    let tenant = scope.find::<tenant::Entity>().one().await?;
    Ok(tenant.map(|tenant| tenant.default_country).unwrap_or_default())
}

/// Reads a phone number as this tenant's people write it: a local number is meant in the tenant's default country.
/// `path` is the field that the text came from.
pub async fn parse_phone(scope: &TenantScope, text: &str, path: &str) -> Result<E164, Refusal> {
    let country = if phone::is_local(text) {
        Some(default_country(scope).await?)
    } else {
        None
    };
    Ok(phone::parse(text, country.as_deref()).map_err(|error| error.at(path))?)
}
