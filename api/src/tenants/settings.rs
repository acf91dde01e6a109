//! What a tenant has chosen for itself.

use entity::tenant;
use sea_orm::DbErr;

use crate::store::TenantScope;

/// The country whose local phone numbers are meant, as ISO 3166-1 alpha-2.
pub async fn default_country(scope: &TenantScope) -> Result<String, DbErr> {
    let tenant = scope.find::<tenant::Entity>().one().await?;
    Ok(tenant.map(|tenant| tenant.default_country).unwrap_or_default())
}
