//! What is done with the sandbox's phones.

use cynic::{Id, MutationBuilder};

use super::Phone;
use crate::api::{
    client,
    error::{ApiError, accept},
    schema,
    values::{Jid, UserError},
};

#[derive(cynic::QueryFragment, Debug)]
struct SandboxPhonePayload {
    phone: Option<Phone>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxCreatePhoneInput {
    number: String,
    name: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxScanQrInput {
    device_id: Option<Id>,
    phone: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxEnterPairingCodeInput {
    phone: String,
    code: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxSendInput {
    from: String,
    to: SandboxTargetInput,
    text: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
enum SandboxTargetInput {
    Phone(String),
    Group(Jid),
}

/// What changes; everything left out stays as it is.
#[derive(cynic::InputObject, Clone, Debug, Default)]
pub struct SandboxBehaviorInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub delivers: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub reads: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub replies: Option<SandboxReplyInput>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<String>>,
    /// 0 takes the code away.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub nack_code: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none", rename = "onWhatsApp")]
    pub on_whatsapp: Option<bool>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub enum SandboxReplyInput {
    Echo(bool),
    Text(String),
    None(bool),
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxSetBehaviorInput {
    phone: String,
    behavior: SandboxBehaviorInput,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SandboxDisruptInput {
    phone: String,
    disruption: SandboxDisruptionInput,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub enum SandboxDisruptionInput {
    DropSocket(bool),
    DropSocketAfterMessages(i32),
    LogOut(bool),
    NackNext(SandboxNackInput),
    RefuseConnections(bool),
    StreamReplaced(bool),
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct SandboxNackInput {
    pub count: i32,
    pub code: i32,
}

#[derive(cynic::QueryVariables, Debug)]
struct CreateVariables {
    input: SandboxCreatePhoneInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreatePhone {
    #[arguments(input: $input)]
    sandbox_create_phone: SandboxPhonePayload,
}

#[derive(cynic::QueryVariables, Debug)]
struct ScanVariables {
    input: SandboxScanQrInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ScanVariables")]
struct ScanQr {
    #[arguments(input: $input)]
    sandbox_scan_qr: SandboxPhonePayload,
}

#[derive(cynic::QueryVariables, Debug)]
struct CodeVariables {
    input: SandboxEnterPairingCodeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CodeVariables")]
struct EnterPairingCode {
    #[arguments(input: $input)]
    sandbox_enter_pairing_code: SandboxPhonePayload,
}

#[derive(cynic::QueryVariables, Debug)]
struct SendVariables {
    input: SandboxSendInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SendVariables")]
struct Send {
    #[arguments(input: $input)]
    sandbox_send: SandboxPhonePayload,
}

#[derive(cynic::QueryVariables, Debug)]
struct BehaviorVariables {
    input: SandboxSetBehaviorInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "BehaviorVariables")]
struct SetBehavior {
    #[arguments(input: $input)]
    sandbox_set_behavior: SandboxPhonePayload,
}

#[derive(cynic::QueryVariables, Debug)]
struct DisruptVariables {
    input: SandboxDisruptInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DisruptVariables")]
struct Disrupt {
    #[arguments(input: $input)]
    sandbox_disrupt: SandboxPhonePayload,
}

pub async fn create_phone(number: String, name: Option<String>) -> Result<Phone, ApiError> {
    let input = SandboxCreatePhoneInput { number, name };
    client::run(CreatePhone::build(CreateVariables { input }))
        .await?
        .sandbox_create_phone
        .into_result()
}

pub async fn scan_qr(device_id: Id, phone: String) -> Result<Phone, ApiError> {
    let input = SandboxScanQrInput {
        device_id: Some(device_id),
        phone,
    };
    client::run(ScanQr::build(ScanVariables { input }))
        .await?
        .sandbox_scan_qr
        .into_result()
}

pub async fn enter_pairing_code(phone: String, code: String) -> Result<Phone, ApiError> {
    let input = SandboxEnterPairingCodeInput { phone, code };
    client::run(EnterPairingCode::build(CodeVariables { input }))
        .await?
        .sandbox_enter_pairing_code
        .into_result()
}

pub async fn send(from: String, to: String, text: String) -> Result<Phone, ApiError> {
    send_as(from, SandboxTargetInput::Phone(to), text).await
}

pub async fn send_to_group(from: String, group: Jid, text: String) -> Result<Phone, ApiError> {
    send_as(from, SandboxTargetInput::Group(group), text).await
}

async fn send_as(from: String, to: SandboxTargetInput, text: String) -> Result<Phone, ApiError> {
    let input = SandboxSendInput { from, to, text };
    client::run(Send::build(SendVariables { input }))
        .await?
        .sandbox_send
        .into_result()
}

pub async fn set_behavior(phone: String, behavior: SandboxBehaviorInput) -> Result<Phone, ApiError> {
    let input = SandboxSetBehaviorInput { phone, behavior };
    client::run(SetBehavior::build(BehaviorVariables { input }))
        .await?
        .sandbox_set_behavior
        .into_result()
}

pub async fn disrupt(phone: String, disruption: SandboxDisruptionInput) -> Result<Phone, ApiError> {
    let input = SandboxDisruptInput { phone, disruption };
    client::run(Disrupt::build(DisruptVariables { input }))
        .await?
        .sandbox_disrupt
        .into_result()
}

impl SandboxPhonePayload {
    fn into_result(self) -> Result<Phone, ApiError> {
        accept(self.phone, self.user_errors)
    }
}
