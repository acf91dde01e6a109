//! The storage against a real database: SQLite here; the end-to-end tests run over Postgres as well.

mod protocol;
mod records;
mod signal;

use std::{sync::Arc, time::Duration};

use entity::{DeviceId, TenantId, device, tenant};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{Reader, Records, Storage, Writer};
use crate::{
    clock::{Clock, new_id},
    engine::originals::{NoOriginals, Secrets},
    store::{DatabaseOptions, DeviceOrigin, Reason, Store, cipher::Cipher},
};

/// A database of its own, removed with the value.
struct Place {
    store: Store,
    reader: Reader,
    writer: Writer,
    clock: Clock,
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy)]
struct Held {
    tenant: TenantId,
    device: DeviceId,
    fence: i64,
}

impl DeviceOrigin for Held {
    fn tenant_id(&self) -> TenantId {
        self.tenant
    }
    fn device_id(&self) -> DeviceId {
        self.device
    }
    fn fence(&self) -> i64 {
        self.fence
    }
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("kabar.db").display());
        let store = Store::open(&DatabaseOptions::at(url)).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Clock::system();
        Self {
            store,
            reader: Reader::start(),
            writer: Writer::start(Duration::from_millis(2)),
            clock,
            _folder: folder,
        }
    }

    async fn device(&self) -> Held {
        let held = Held {
            tenant: new_id(),
            device: new_id(),
            fence: 1,
        };
        let now = self.clock.now();
        let tx = self.store.system(Reason::Provisioning).begin().await.unwrap();
        let tenant = tenant::ActiveModel {
            id: Set(held.tenant),
            name: Set("Acme".into()),
            slug: Set(held.tenant.0.simple().to_string()),
            status: Set(tenant::Status::Active),
            default_country: Set("ID".into()),
            default_language: Set("en".into()),
            time_zone: Set("Asia/Jakarta".into()),
            plan_id: Set(None),
            limit_overrides: Set(serde_json::json!({})),
            suspended_at: Set(None),
            suspension_reason: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        tenant::Entity::insert(tenant)
            .exec_without_returning(tx.connection())
            .await
            .unwrap();
        let device = device::ActiveModel {
            id: Set(held.device),
            tenant_id: Set(held.tenant),
            name: Set("Front desk".into()),
            tags: Set(serde_json::json!([])),
            status: Set(device::Status::Created),
            status_since: Set(now),
            wanted: Set(true),
            linked: Set(false),
            connection_attempts: Set(0),
            lease_fence: Set(held.fence),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        device::Entity::insert(device)
            .exec_without_returning(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        held
    }

    fn records(&self, held: &Held) -> Records {
        let cipher = Cipher::new([(1, [7; 32])]).unwrap();
        Records::new(
            self.store.device_scope(held),
            cipher,
            self.reader.clone(),
            self.writer.clone(),
            self.clock.clone(),
        )
    }

    async fn storage(&self) -> Storage {
        let records = self.records(&self.device().await);
        Storage::new(records, Arc::new(NoOriginals), Secrets::default())
    }
}
