//! What people do with devices, apart from their connection (`connecting.rs`).

use std::sync::Arc;

use entity::{DeviceId, device};
use sea_orm::{ActiveEnum, ActiveValue::Set, ColumnTrait};

use super::{
    LeasedDevice, Leases,
    connecting::refusal,
    pairing::{Linking, PairingCode, Qr},
    queries, status,
    types::{DeviceKey, DeviceName, parse_remark, parse_tags},
};
use crate::{
    audit::{self, Action, Entry},
    clock::{Clock, new_id},
    engine,
    events::EventLog,
    graphql::{ErrorCode, Refusal, UserError},
    store::{Store, TenantScope},
    tenants::{Meter, Permission, Principal, Quota},
};

/// Devices of every tenant, as far as the caller may see and change them. Cheap to clone.
#[derive(Clone)]
pub struct Devices {
    pub(super) parts: Arc<Parts>,
}

pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) events: EventLog,
    pub(super) engine: engine::Handle,
    pub(super) leases: Leases,
    pub(super) linking: Linking,
}

/// What a new device is given.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    pub name: String,
    pub key: Option<String>,
    pub remark: Option<String>,
    pub tags: Vec<String>,
}

/// What changes about a device; `None` leaves it as it is, empty text removes it.
#[derive(Clone, Debug, Default)]
pub struct DeviceChange {
    pub name: Option<String>,
    pub key: Option<String>,
    pub remark: Option<String>,
    pub tags: Option<Vec<String>>,
}

impl Devices {
    /// Brings the parts together.
    pub fn new(
        store: Store,
        clock: Clock,
        events: EventLog,
        engine: engine::Handle,
        leases: Leases,
        linking: Linking,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                store,
                clock,
                events,
                engine,
                leases,
                linking,
            }),
        }
    }

    /// The code to scan, while there is one.
    pub fn qr(&self, id: DeviceId) -> Option<Qr> {
        self.parts.linking.qr(id, self.parts.clock.now())
    }

    /// The code to type, while there is one.
    pub fn pairing_code(&self, id: DeviceId) -> Option<PairingCode> {
        self.parts.linking.pairing_code(id, self.parts.clock.now())
    }

    /// A device that the caller may see.
    pub async fn get(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::Read)?;
        load(&self.scope(caller), id).await
    }

    /// Makes a device. It does not connect yet.
    pub async fn create(&self, caller: &Principal, new: NewDevice) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        caller.require_every_device()?;
        let name = DeviceName::parse(&new.name)?;
        let key = new
            .key
            .as_deref()
            .filter(|key| !key.is_empty())
            .map(DeviceKey::parse)
            .transpose()?;
        let remark = parse_remark(new.remark.as_deref())?;
        let tags = parse_tags(&new.tags)?;
        let now = self.parts.clock.now();
        let tx = self.scope(caller).begin().await?;
        let quota = Quota::new(caller.profile().clone(), now);
        let mut told = quota.reserve(&tx, Meter::Devices, 1).await?;
        let row = device::ActiveModel {
            id: Set(new_id()),
            tenant_id: Set(tx.tenant_id()),
            key: Set(key.map(|key| key.0)),
            name: Set(name.0),
            remark: Set(remark),
            tags: Set(tags.into()),
            status: Set(device::Status::Created),
            status_reason: Set(None),
            status_since: Set(now),
            wanted: Set(false),
            linked: Set(false),
            phone_number: Set(None),
            push_name: Set(None),
            jid: Set(None),
            lid: Set(None),
            platform: Set(None),
            connection_attempts: Set(0),
            last_connected_at: Set(None),
            last_activity_at: Set(None),
            lease_node: Set(None),
            lease_fence: Set(0),
            lease_expires_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        let created = tx.insert::<device::Entity, _>(row).await.map_err(taken_key)?;
        audit::record(
            &tx,
            now,
            caller,
            entry(Action::DeviceCreated, &created).with(settings(&created)),
        )
        .await?;
        told.insert(0, status::status_event(&created));
        self.parts.events.commit(tx, told).await?;
        Ok(created)
    }

    /// Renames, remarks, tags.
    pub async fn update(
        &self,
        caller: &Principal,
        id: DeviceId,
        change: DeviceChange,
    ) -> Result<device::Model, Refusal> {
        use device::Column;
        caller.require(Permission::ManageDevices)?;
        let name = change.name.as_deref().map(DeviceName::parse).transpose()?;
        let key = match change.key.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(key) => Some(Some(DeviceKey::parse(key)?.0)),
        };
        let remark = change
            .remark
            .as_deref()
            .map(|remark| parse_remark(Some(remark)))
            .transpose()?;
        let tags = change.tags.as_deref().map(parse_tags).transpose()?;
        let now = self.parts.clock.now();
        let tx = self.scope(caller).begin().await?;
        let before = tx.find_by_id::<device::Entity>(id).await?;
        let mut update = tx.update::<device::Entity>().set(Column::UpdatedAt, now);
        if let Some(name) = name {
            update = update.set(Column::Name, name.0);
        }
        if let Some(key) = key {
            update = update.set(Column::Key, key);
        }
        if let Some(remark) = remark {
            update = update.set(Column::Remark, remark);
        }
        if let Some(tags) = tags {
            update = update.set(Column::Tags, serde_json::Value::from(tags));
        }
        let changed = update.filter(Column::Id.eq(id)).returning().await.map_err(taken_key)?;
        let Some((before, row)) = before.zip(changed.into_iter().next()) else {
            return Err(UserError::not_found("device").at("id").into());
        };
        let told = entry(Action::DeviceUpdated, &row).changed(settings(&before), settings(&row));
        audit::record(&tx, now, caller, told).await?;
        self.parts.events.commit(tx, vec![status::status_event(&row)]).await?;
        Ok(row)
    }

    /// Deletes the device with its chats, messages and credentials. It is unlinked at WhatsApp when it is connected.
    pub async fn delete(&self, caller: &Principal, id: DeviceId) -> Result<DeviceId, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        let lease = self.lease(id).await?;
        if row.linked
            && let Err(error) = self.parts.engine.logout(id).await
        {
            tracing::info!(device = %id, %error, "deleting a device that could not be unlinked at WhatsApp");
        }
        self.parts
            .engine
            .wipe(self.parts.store.device_scope(&lease))
            .await
            .map_err(refusal)?;
        self.parts.linking.clear(id);
        self.parts.leases.release(id).await?;
        let tx = scope.begin().await?;
        let reason =
            serde_json::json!({ "status": device::Status::LoggedOut.to_value(), "reason": "The device was deleted." });
        let event = crate::events::NewEvent::of_device(entity::event::Type::DeviceStatus, id, reason);
        audit::record(&tx, self.parts.clock.now(), caller, entry(Action::DeviceDeleted, &row)).await?;
        tx.delete::<device::Entity>(device::Column::Id.eq(id)).await?;
        let quota = Quota::new(caller.profile().clone(), self.parts.clock.now());
        quota.recount(&tx, Meter::Devices).await?;
        self.parts.events.commit(tx, vec![event]).await?;
        Ok(id)
    }

    pub(super) fn scope(&self, caller: &Principal) -> TenantScope {
        self.parts.store.scope(caller)
    }

    pub(super) async fn lease(&self, id: DeviceId) -> Result<LeasedDevice, Refusal> {
        self.parts.leases.take(id).await?.ok_or_else(|| {
            UserError::new(
                ErrorCode::Conflict,
                "Another server holds this device. Try again in a minute.",
            )
            .at("id")
            .into()
        })
    }
}

/// A device of the scope's tenant, or NOT_FOUND.
pub async fn load(scope: &TenantScope, id: DeviceId) -> Result<device::Model, Refusal> {
    let row = queries::find(scope, id).await?;
    row.ok_or_else(|| UserError::not_found("device").at("id").into())
}

/// An entry of the audit log about a device.
pub(super) fn entry(action: Action, row: &device::Model) -> Entry {
    Entry::of(action, &row.id).named(&row.name)
}

/// What people choose about a device, for the audit log.
fn settings(row: &device::Model) -> serde_json::Value {
    serde_json::json!({ "name": row.name, "key": row.key, "remark": row.remark, "tags": row.tags })
}

fn taken_key(error: sea_orm::DbErr) -> Refusal {
    Refusal::if_taken(
        error,
        UserError::new(ErrorCode::AlreadyExists, "Another device has this key.").at("key"),
    )
}
