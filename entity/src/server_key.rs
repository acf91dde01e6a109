//! A key that the server made for itself, encrypted under the secret of the configuration.

use sea_orm::entity::prelude::*;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))", rename_all = "snake_case")]
pub enum Purpose {
    /// Encrypts what the database must not show.
    Encryption,
    /// Signs access tokens.
    Signing,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub purpose: Purpose,
    /// Grows with every rotation; for encryption it stands in front of every encrypted value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i16,
    #[sea_orm(column_type = "VarBinary(StringLen::None)")]
    pub sealed: Vec<u8>,
    pub created_at: DateTimeUtc,
    /// From when on it encrypts or signs: some seconds after it was made, so that every node knows it before it is used.
    pub active_at: DateTimeUtc,
    /// Signing: tokens of this key are refused from then on. Encryption: nothing was encrypted under it at this moment.
    pub retired_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
