//! Devices: linked WhatsApp accounts.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::{At, Forward, Jid, PhoneNumber, UserError},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Device {
    pub id: Id,
    pub key: Option<String>,
    pub name: String,
    pub remark: Option<String>,
    pub tags: Vec<String>,
    pub status: DeviceStatus,
    pub status_reason: Option<String>,
    pub status_since: At,
    pub phone_number: Option<PhoneNumber>,
    pub push_name: Option<String>,
    pub jid: Option<Jid>,
    pub lid: Option<Jid>,
    pub platform: Option<String>,
    pub qr: Option<QrCode>,
    pub pairing_code: Option<PairingCode>,
    pub connection_attempts: i32,
    pub last_connected_at: Option<At>,
    pub last_activity_at: Option<At>,
    pub queue: QueueDepth,
    pub unread_count: i32,
    pub created_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct QrCode {
    pub svg: String,
    pub text: String,
    pub expires_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PairingCode {
    pub code: String,
    pub expires_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct QueueDepth {
    pub waiting: i32,
    pub sending: i32,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cynic(non_exhaustive)]
pub enum DeviceStatus {
    Created,
    Connecting,
    QrReady,
    Pairing,
    PasskeyRequired,
    Connected,
    Degraded,
    Disconnected,
    LoggedOut,
    Banned,
    Failed,
    #[cynic(fallback)]
    Other,
}

/// The name of a device, where only that is shown.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Device")]
pub struct DeviceName {
    pub id: Id,
    pub name: String,
}

#[derive(cynic::InputObject, Clone, Debug, Default, PartialEq)]
pub struct DeviceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub status: Option<Vec<DeviceStatus>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct DevicesVariables {
    filter: DeviceFilter,
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "DevicesVariables")]
struct Devices {
    #[arguments(where: $filter, orderBy: NAME_ASC, first: $first, after: $after)]
    devices: DevicePage,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "DeviceConnection")]
pub struct DevicePage {
    pub nodes: Vec<Device>,
    pub page_info: Forward,
    pub total_count: i32,
}

#[derive(cynic::QueryVariables, Debug)]
struct ById {
    id: Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ById")]
struct OneDevice {
    #[arguments(id: $id)]
    device: Option<Device>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct CreateDeviceInput {
    pub name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    pub tags: Option<Vec<String>>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdateDeviceInput {
    pub id: Id,
    pub name: Option<String>,
    pub key: Option<String>,
    pub remark: Option<String>,
    pub tags: Option<Vec<String>>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct RequestPairingCodeInput {
    pub device_id: Id,
    pub phone_number: String,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct DevicePayload {
    device: Option<Device>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
struct DeleteDevicePayload {
    deleted_id: Option<Id>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreateVariables {
    input: CreateDeviceInput,
}

#[derive(cynic::QueryVariables, Debug)]
struct UpdateVariables {
    input: UpdateDeviceInput,
}

#[derive(cynic::QueryVariables, Debug)]
struct PairingVariables {
    input: RequestPairingCodeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateDevice {
    #[arguments(input: $input)]
    create_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateVariables")]
struct UpdateDevice {
    #[arguments(input: $input)]
    update_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "PairingVariables")]
struct RequestPairingCode {
    #[arguments(input: $input)]
    request_pairing_code: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct ConnectDevice {
    #[arguments(id: $id)]
    connect_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct DisconnectDevice {
    #[arguments(id: $id)]
    disconnect_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct LogoutDevice {
    #[arguments(id: $id)]
    logout_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct RestartDevice {
    #[arguments(id: $id)]
    restart_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct WipeDevice {
    #[arguments(id: $id)]
    wipe_device: DevicePayload,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct DeleteDevice {
    #[arguments(id: $id)]
    delete_device: DeleteDevicePayload,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct WatchVariables {
    pub id: Option<Id>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "WatchVariables")]
pub struct WatchDevice {
    #[arguments(id: $id)]
    pub device_updated: Device,
}

pub async fn list(filter: DeviceFilter, first: i32, after: Option<String>) -> Result<DevicePage, ApiError> {
    Ok(client::run(Devices::build(DevicesVariables { filter, first, after }))
        .await?
        .devices)
}

pub async fn get(id: String) -> Result<Option<Device>, ApiError> {
    Ok(client::run(OneDevice::build(ById { id: Id::new(id) })).await?.device)
}

pub async fn create(input: CreateDeviceInput) -> Result<Device, ApiError> {
    client::run(CreateDevice::build(CreateVariables { input }))
        .await?
        .create_device
        .into_result()
}

pub async fn update(input: UpdateDeviceInput) -> Result<Device, ApiError> {
    client::run(UpdateDevice::build(UpdateVariables { input }))
        .await?
        .update_device
        .into_result()
}

pub async fn request_pairing_code(device_id: Id, phone_number: String) -> Result<Device, ApiError> {
    let input = RequestPairingCodeInput {
        device_id,
        phone_number,
    };
    client::run(RequestPairingCode::build(PairingVariables { input }))
        .await?
        .request_pairing_code
        .into_result()
}

/// What can be done to a device with nothing but its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Connect,
    Disconnect,
    Restart,
    Logout,
    Wipe,
}

pub async fn act(action: Action, id: Id) -> Result<Device, ApiError> {
    let by = ById { id };
    match action {
        Action::Connect => client::run(ConnectDevice::build(by)).await?.connect_device,
        Action::Disconnect => client::run(DisconnectDevice::build(by)).await?.disconnect_device,
        Action::Restart => client::run(RestartDevice::build(by)).await?.restart_device,
        Action::Logout => client::run(LogoutDevice::build(by)).await?.logout_device,
        Action::Wipe => client::run(WipeDevice::build(by)).await?.wipe_device,
    }
    .into_result()
}

pub async fn delete(id: Id) -> Result<Id, ApiError> {
    let payload = client::run(DeleteDevice::build(ById { id })).await?.delete_device;
    accept(payload.deleted_id, payload.user_errors)
}

impl DevicePayload {
    fn into_result(self) -> Result<Device, ApiError> {
        accept(self.device, self.user_errors)
    }
}

impl Device {
    /// Whether it has an account to write from. One that was logged out still tells which it had.
    pub fn is_linked(&self) -> bool {
        let unlinked = matches!(
            self.status,
            DeviceStatus::Created | DeviceStatus::LoggedOut | DeviceStatus::Banned
        );
        self.jid.is_some() && !unlinked && !self.status.is_linking()
    }
}

impl DeviceStatus {
    /// Whether somebody has to do something before it works.
    pub fn needs_attention(self) -> bool {
        matches!(
            self,
            Self::Degraded | Self::Disconnected | Self::LoggedOut | Self::Banned | Self::Failed | Self::PasskeyRequired
        )
    }

    /// Whether the device waits for a phone to link it.
    pub fn is_linking(self) -> bool {
        matches!(self, Self::QrReady | Self::Pairing | Self::PasskeyRequired)
    }

    /// Whether messages pass.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Connected | Self::Degraded)
    }
}
