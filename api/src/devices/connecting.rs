//! What people do with a device's connection and link: connect, restart, disconnect, log out, wipe.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::{DeviceId, device};
use sea_orm::ColumnTrait;

use super::{
    Devices,
    pairing::PairingCode,
    service::{entry, load},
    status,
};
use crate::{
    audit::{self, Action},
    engine::EngineError,
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    store::TenantScope,
    tenants::{Permission, Principal, settings},
};

impl Devices {
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
        let scope = self.scope(caller);
        let number = settings::parse_phone(caller.profile(), phone_number, "phoneNumber")?;
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
            .request_pairing_code(device_scope, number.digits())
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

/// What a person is told when the engine did not do it.
pub(super) fn refusal(error: EngineError) -> Refusal {
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
