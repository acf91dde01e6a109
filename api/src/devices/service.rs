//! What people do with devices.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entity::{DeviceId, device};
use sea_orm::{ActiveEnum, ActiveValue::Set, ColumnTrait, SqlErr};

use super::{
    LeasedDevice, Leases,
    pairing::{Linking, PairingCode, Qr},
    queries, status,
    types::{DeviceKey, DeviceName, parse_phone_digits, parse_remark, parse_tags},
};
use crate::{
    audit::{self, Action, Entry},
    clock::{Clock, new_id},
    engine::{self, EngineError},
    events::EventLog,
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    store::{Store, TenantScope},
    tenants::{Permission, Principal},
};

/// Devices of every tenant, as far as the caller may see and change them. Cheap to clone.
#[derive(Clone)]
pub struct Devices {
    parts: Arc<Parts>,
}

struct Parts {
    store: Store,
    clock: Clock,
    events: EventLog,
    engine: engine::Handle,
    leases: Leases,
    linking: Linking,
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
        self.parts
            .events
            .commit(tx, vec![status::status_event(&created)])
            .await?;
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

    /// Connects a linked device, or shows codes for one that is not linked.
    pub async fn connect(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        let lease = self.lease(id).await?;
        self.set_wanted(caller, &row, true, Action::DeviceConnected).await?;
        if row.status != device::Status::Connected {
            self.parts
                .engine
                .connect(self.parts.store.device_scope(&lease))
                .await
                .map_err(refusal)?;
        }
        self.settled(&scope, row, |row| row.status != device::Status::Created)
            .await
    }

    /// Asks WhatsApp for a code that the phone's owner types instead of scanning.
    pub async fn request_pairing_code(
        &self,
        caller: &Principal,
        id: DeviceId,
        phone_number: &str,
    ) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let digits = parse_phone_digits(phone_number).ok_or_else(|| {
            let message = "Write the phone number with its country code, as in +62 812 3456 7890.";
            UserError::new(ErrorCode::InvalidPhoneNumber, message).at("phoneNumber")
        })?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        if row.linked {
            return Err(UserError::new(
                ErrorCode::AlreadyLinked,
                "The device is linked already. Log it out first.",
            )
            .into());
        }
        let lease = self.lease(id).await?;
        self.set_wanted(caller, &row, true, Action::DevicePairingCodeRequested)
            .await?;
        let device_scope = self.parts.store.device_scope(&lease);
        let code = self
            .parts
            .engine
            .request_pairing_code(device_scope, &digits)
            .await
            .map_err(refusal)?;
        self.parts.linking.set_pairing_code(
            id,
            PairingCode {
                code: code.code,
                expires_at: code.expires_at,
            },
        );
        load(&scope, id).await
    }

    /// Closes the connection and keeps the link.
    pub async fn disconnect(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        self.set_wanted(caller, &row, false, Action::DeviceDisconnected).await?;
        let stopped = self.parts.engine.disconnect(id).await;
        self.parts.linking.clear(id);
        self.after_stop(&scope, row, stopped, device::Status::Disconnected)
            .await
    }

    /// Closes the connection and opens it again.
    pub async fn restart(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        let lease = self.lease(id).await?;
        self.set_wanted(caller, &row, true, Action::DeviceRestarted).await?;
        match self.parts.engine.disconnect(id).await {
            Ok(()) | Err(EngineError::NotRunning) => {}
            Err(error) => return Err(refusal(error)),
        }
        self.parts
            .engine
            .connect(self.parts.store.device_scope(&lease))
            .await
            .map_err(refusal)?;
        load(&scope, row.id).await
    }

    /// Removes the link at WhatsApp.
    pub async fn logout(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        if !row.linked {
            return Err(UserError::new(ErrorCode::NotLinked, "The device is not linked.")
                .at("id")
                .into());
        }
        match self.parts.engine.logout(id).await {
            Ok(()) => {}
            Err(EngineError::NotRunning | EngineError::NotConnected) => {
                let message = "The device must be connected to be unlinked at WhatsApp. Connect it first, or wipe it and \
                               remove it on the phone.";
                return Err(UserError::new(ErrorCode::NotConnected, message).at("id").into());
            }
            Err(error) => return Err(refusal(error)),
        }
        let tx = scope.begin().await?;
        audit::record(
            &tx,
            self.parts.clock.now(),
            caller,
            entry(Action::DeviceLoggedOut, &row),
        )
        .await?;
        tx.commit().await?;
        self.settled(&scope, row, |row| !row.linked).await
    }

    /// Stops whatever runs and deletes the device's credentials.
    pub async fn wipe(&self, caller: &Principal, id: DeviceId) -> Result<device::Model, Refusal> {
        caller.require(Permission::ManageDevices)?;
        let scope = self.scope(caller);
        let row = load(&scope, id).await?;
        let lease = self.lease(id).await?;
        self.parts
            .engine
            .wipe(self.parts.store.device_scope(&lease))
            .await
            .map_err(refusal)?;
        self.parts.linking.clear(id);
        let row = self.write_unlinked(caller, &row).await?;
        self.parts.leases.release(id).await?;
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
        self.parts.events.commit(tx, vec![event]).await?;
        Ok(id)
    }

    /// Connects every device that was connected when the server stopped, one after the other.
    pub async fn restore(&self, stagger: Duration) -> Result<usize, sea_orm::DbErr> {
        let leases = self.parts.leases.take_wanted().await?;
        let count = leases.len();
        for lease in leases {
            if let Err(error) = self.parts.engine.connect(self.parts.store.device_scope(&lease)).await {
                tracing::warn!(device = %lease.id(), %error, "could not restore a device");
            }
            tokio::time::sleep(stagger).await;
        }
        Ok(count)
    }

    fn scope(&self, caller: &Principal) -> TenantScope {
        self.parts.store.scope(caller)
    }

    async fn lease(&self, id: DeviceId) -> Result<LeasedDevice, Refusal> {
        self.parts.leases.take(id).await?.ok_or_else(|| {
            UserError::new(
                ErrorCode::Conflict,
                "Another server holds this device. Try again in a minute.",
            )
            .at("id")
            .into()
        })
    }

    async fn set_wanted(
        &self,
        caller: &Principal,
        row: &device::Model,
        wanted: bool,
        action: Action,
    ) -> Result<(), Refusal> {
        let tx = self.scope(caller).begin().await?;
        tx.update::<device::Entity>()
            .set(device::Column::Wanted, wanted)
            .filter(device::Column::Id.eq(row.id))
            .execute()
            .await?;
        audit::record(&tx, self.parts.clock.now(), caller, entry(action, row)).await?;
        Ok(tx.commit().await?)
    }

    /// Waits a moment for the engine's news, so that the answer shows what was asked for when that is quick.
    async fn settled(
        &self,
        scope: &TenantScope,
        row: device::Model,
        done: impl Fn(&device::Model) -> bool,
    ) -> Result<device::Model, Refusal> {
        let mut newest = self.parts.events.bus().listen(scope.tenant_id());
        let deadline = tokio::time::Instant::now() + Duration::from_secs(2);
        loop {
            let current = load(scope, row.id).await?;
            if done(&current) || tokio::time::timeout_at(deadline, newest.changed()).await.is_err() {
                return Ok(current);
            }
        }
    }

    /// A device whose actor did not run says nothing: then its state is written here.
    async fn after_stop(
        &self,
        scope: &TenantScope,
        row: device::Model,
        stopped: Result<(), EngineError>,
        status: device::Status,
    ) -> Result<device::Model, Refusal> {
        match stopped {
            Ok(()) => self.settled(scope, row, |row| row.status == status).await,
            Err(EngineError::NotRunning) if row.status == status || row.status == device::Status::Created => Ok(row),
            Err(EngineError::NotRunning) => self.write_status(scope, row.id, status, self.parts.clock.now()).await,
            Err(error) => Err(refusal(error)),
        }
    }

    async fn write_status(
        &self,
        scope: &TenantScope,
        id: DeviceId,
        status: device::Status,
        at: DateTime<Utc>,
    ) -> Result<device::Model, Refusal> {
        use device::Column;
        let tx = scope.begin().await?;
        let update = tx
            .update::<device::Entity>()
            .set(Column::Status, status)
            .set(Column::StatusSince, at);
        let rows = update
            .set(Column::StatusReason, None::<String>)
            .filter(Column::Id.eq(id))
            .returning()
            .await?;
        let row = rows
            .into_iter()
            .next()
            .ok_or_else(|| UserError::not_found("device").at("id"))?;
        self.parts.events.commit(tx, vec![status::status_event(&row)]).await?;
        Ok(row)
    }

    async fn write_unlinked(&self, caller: &Principal, row: &device::Model) -> Result<device::Model, Refusal> {
        use device::Column;
        let none = || None::<String>;
        let (id, scope) = (row.id, self.scope(caller));
        let tx = scope.begin().await?;
        let update = tx
            .update::<device::Entity>()
            .set(Column::Linked, false)
            .set(Column::Wanted, false);
        update
            .set(Column::Jid, none())
            .set(Column::Lid, none())
            .set(Column::PhoneNumber, none())
            .set(Column::PushName, none())
            .set(Column::Platform, none())
            .filter(Column::Id.eq(id))
            .execute()
            .await?;
        audit::record(&tx, self.parts.clock.now(), caller, entry(Action::DeviceWiped, row)).await?;
        tx.commit().await?;
        self.write_status(&scope, id, device::Status::Created, self.parts.clock.now())
            .await
    }
}

/// A device of the scope's tenant, or NOT_FOUND.
pub async fn load(scope: &TenantScope, id: DeviceId) -> Result<device::Model, Refusal> {
    let row = queries::find(scope, id).await?;
    row.ok_or_else(|| UserError::not_found("device").at("id").into())
}

/// An entry of the audit log about a device.
fn entry(action: Action, row: &device::Model) -> Entry {
    Entry::of(action, &row.id).named(&row.name)
}

/// What people choose about a device, for the audit log.
fn settings(row: &device::Model) -> serde_json::Value {
    serde_json::json!({ "name": row.name, "key": row.key, "remark": row.remark, "tags": row.tags })
}

fn taken_key(error: sea_orm::DbErr) -> Refusal {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            UserError::new(ErrorCode::AlreadyExists, "Another device has this key.")
                .at("key")
                .into()
        }
        _ => error.into(),
    }
}

fn refusal(error: EngineError) -> Refusal {
    let (code, message) = match &error {
        EngineError::NotRunning | EngineError::NotConnected => {
            (ErrorCode::NotConnected, "The device is not connected.")
        }
        EngineError::AlreadyLinked => (
            ErrorCode::AlreadyLinked,
            "The device is linked already. Log it out first.",
        ),
        EngineError::Timeout => (ErrorCode::TimedOut, "WhatsApp did not answer in time. Try again."),
        EngineError::Busy => (ErrorCode::Conflict, "The device is busy. Try again in a moment."),
        EngineError::Address => (
            ErrorCode::InvalidPhoneNumber,
            "This is no phone number that WhatsApp knows.",
        ),
        EngineError::Refused(reason) => {
            return UserError::new(ErrorCode::Conflict, format!("WhatsApp refused: {reason}")).into();
        }
        _ => return Refusal::Fault(GqlError::internal(error)),
    };
    UserError::new(code, message).into()
}
