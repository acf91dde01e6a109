//! Which hidden address (LID) and which phone number are one person's, as a device knows it.

use sea_orm_migration::prelude::*;

use crate::columns::{belongs_to, id, optional, string, table, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut pair = table(
            "address_pair",
            vec![
                id("id"),
                id("tenant_id"),
                id("device_id"),
                string("lid", 100),
                optional(string("phone_jid", 100)),
            ],
            &["id"],
        );
        pair.foreign_key(&mut belongs_to(
            &["tenant_id", "device_id"],
            "device",
            &["tenant_id", "id"],
        ));
        manager.create_table(pair).await?;
        manager
            .create_index(unique("address_pair_lid", "address_pair", &["device_id", "lid"]))
            .await
    }
}
