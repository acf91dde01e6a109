//! Mutations by which a tenant changes itself.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use entity::tenant;

use super::{principal::principal, schema::Tenant, tenancy::SettingsChange, views::tenancy};
use crate::graphql::{GqlError, Payload, UserError, answer};

/// What changes; what is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateTenantSettingsInput {
    /// 1 to 120 characters.
    name: Option<String>,
    /// ISO 3166-1 alpha-2, such as `ID`: how phone numbers without a country code are read.
    default_country: Option<String>,
    /// `en` or `id`: the language of new members' consoles.
    default_language: Option<String>,
    /// IANA name, such as `Asia/Jakarta`: where days and months begin. A change moves the ends of the running day and
    /// month; what was used of them stays used.
    time_zone: Option<String>,
}

/// The tenant as it is now.
#[derive(SimpleObject)]
pub struct TenantPayload {
    /// Null when it was refused.
    tenant: Option<Tenant>,
    /// INVALID_INPUT, NOT_FOUND, ALREADY_EXISTS or CONFLICT.
    user_errors: Vec<UserError>,
}

impl Payload<tenant::Model> for TenantPayload {
    fn accepted(tenant: tenant::Model) -> Self {
        Self {
            tenant: Some(tenant.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            tenant: None,
            user_errors,
        }
    }
}

/// Mutations by which a tenant changes itself.
#[derive(Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Changes the tenant that the caller acts in. For owners and admins.
    async fn update_tenant_settings(
        &self,
        ctx: &Context<'_>,
        input: UpdateTenantSettingsInput,
    ) -> Result<TenantPayload, GqlError> {
        let change = SettingsChange {
            name: input.name,
            default_country: input.default_country,
            default_language: input.default_language,
            time_zone: input.time_zone,
        };
        answer(tenancy(ctx)?.change_settings(principal(ctx)?, change).await)
    }
}
