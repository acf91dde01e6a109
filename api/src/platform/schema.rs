//! The way in to what only operators see.

use async_graphql::{Context, MergedObject, Object};

use super::{
    Platform, audit_schema::PlatformAuditQuery, grants_schema::GrantQuery, plans_schema::PlanQuery,
    settings_schema::PlatformSettingsQuery, tenants_schema::PlatformTenantQuery,
};
use crate::{graphql::GqlError, tenants::principal};

/// The way in to everything that only operators see.
#[derive(Default)]
pub struct PlatformQuery;

#[Object]
impl PlatformQuery {
    /// The whole installation, for those who run it. FORBIDDEN for everybody else.
    async fn platform(&self, ctx: &Context<'_>) -> Result<PlatformView, GqlError> {
        std::future::ready(platform(ctx)).await?;
        Ok(PlatformView::default())
    }
}

/// The whole installation.
#[derive(Default, MergedObject)]
#[graphql(name = "Platform")]
pub struct PlatformView(
    PlatformTenantQuery,
    GrantQuery,
    PlatformSettingsQuery,
    PlanQuery,
    PlatformAuditQuery,
);

/// The service, for operators. Asked first, so that nobody else learns what else is wrong with a request.
pub(super) fn platform<'a>(ctx: &Context<'a>) -> Result<&'a Platform, GqlError> {
    principal(ctx)?.require_operator()?;
    ctx.data_opt::<Platform>()
        .ok_or_else(|| GqlError::internal("the schema holds no platform"))
}
