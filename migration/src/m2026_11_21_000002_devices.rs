//! Devices and what the engine keeps for them.

use sea_orm_migration::prelude::*;

use crate::columns::{
    belongs_to, big, bytes, flag, id, index, integer, json, optional, small, string, table, time, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut device = table(
            "device",
            vec![
                id("id"),
                id("tenant_id"),
                optional(string("key", 50)),
                string("name", 120),
                optional(string("remark", 1000)),
                json("tags"),
                string("status", 20),
                optional(string("status_reason", 500)),
                time("status_since"),
                flag("wanted"),
                flag("linked"),
                optional(string("phone_number", 20)),
                optional(string("push_name", 255)),
                optional(string("jid", 100)),
                optional(string("lid", 100)),
                optional(string("platform", 60)),
                integer("connection_attempts"),
                optional(time("last_connected_at")),
                optional(time("last_activity_at")),
                optional(string("lease_node", 64)),
                big("lease_fence"),
                optional(time("lease_expires_at")),
                time("created_at"),
                time("updated_at"),
            ],
            &["id"],
        );
        device.foreign_key(&mut belongs_to(&["tenant_id"], "tenant", &["id"]));
        manager.create_table(device).await?;
        // The target of the composite foreign keys of everything that hangs on a device.
        manager
            .create_index(unique("device_tenant", "device", &["tenant_id", "id"]))
            .await?;
        manager
            .create_index(unique("device_key", "device", &["tenant_id", "key"]))
            .await?;

        let mut record = table(
            "engine_record",
            vec![
                id("device_id"),
                small("space"),
                bytes("key"),
                bytes("value"),
                optional(big("number")),
                optional(big("expires_at")),
            ],
            &["device_id", "space", "key"],
        );
        record.foreign_key(&mut belongs_to(&["device_id"], "device", &["id"]));
        manager.create_table(record).await?;
        manager
            .create_index(index(
                "engine_record_number",
                "engine_record",
                &["device_id", "space", "number"],
            ))
            .await
    }
}
