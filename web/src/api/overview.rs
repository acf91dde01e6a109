//! The figures of the first page.

use cynic::QueryBuilder;

use super::{client, error::ApiError, schema, tenancy::TenantStatus};

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct OverviewQuery {
    overview: Overview,
    tenant: Standing,
}

/// Whether the tenant may act.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Tenant")]
pub struct Standing {
    pub status: TenantStatus,
    pub suspension_reason: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Overview {
    pub devices: DeviceCounts,
    pub messages_today: MessageCounts,
    pub unread_chats: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DeviceCounts {
    pub total: i32,
    pub connected: i32,
    pub attention: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct MessageCounts {
    pub received: i32,
    pub sent: i32,
    pub delivered: i32,
    pub read: i32,
    pub failed: i32,
    pub waiting: i32,
}

pub async fn get() -> Result<(Overview, Standing), ApiError> {
    let answer = client::run(OverviewQuery::build(())).await?;
    Ok((answer.overview, answer.tenant))
}
