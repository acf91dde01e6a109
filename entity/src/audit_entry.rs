//! One entry of the audit log: who did what, from where. Rows are only ever added.

use sea_orm::entity::prelude::*;

use crate::{AppendOnly, AuditEntryId, TenantId};

/// What kind of caller did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum ActorKind {
    /// A person of the tenant.
    User,
    /// A program with an API token.
    ApiToken,
    /// A person who runs the platform.
    Operator,
    /// Nobody who is known: a login that failed.
    Stranger,
    /// The server itself.
    System,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// Null for what belongs to no tenant.
    pub tenant_id: Option<TenantId>,
    pub at: DateTimeUtc,
    pub actor_kind: ActorKind,
    /// Public id of the person or token.
    pub actor_id: Option<String>,
    /// As it was then: people and tokens may be gone when the log is read.
    pub actor_name: Option<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    /// A name of `api`'s `audit/types.rs`.
    pub action: String,
    /// Public id; its prefix tells what it is.
    pub object_id: Option<String>,
    pub object_name: Option<String>,
    /// Only what changed; never a secret or a message's text.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub before: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub after: Option<Json>,
    /// The access grant that an operator did it under: its public id.
    pub grant_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

impl AppendOnly for Entity {
    const TENANT: Column = Column::TenantId;
    const ID: Column = Column::Id;
}
