//! The sandbox: simulated phones to link, write and break things with.

use cynic::{Id, MutationBuilder, QueryBuilder};

use super::{
    client,
    error::{ApiError, accept},
    schema,
    values::{At, Forward, Jid, PhoneNumber, UserError},
};

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct IsOn {
    sandbox: Option<SandboxUrl>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sandbox")]
struct SandboxUrl {
    url: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct PhonesVariables {
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PhonesVariables")]
struct PhonesQuery {
    sandbox: Option<PhonesOfSandbox>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sandbox", variables = "PhonesVariables")]
struct PhonesOfSandbox {
    #[arguments(first: $first, after: $after)]
    phones: PhonePage,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "SandboxPhoneConnection")]
pub struct PhonePage {
    pub nodes: Vec<Phone>,
    pub page_info: Forward,
}

/// A phone as a row of the table.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxPhone")]
pub struct Phone {
    pub number: PhoneNumber,
    pub name: String,
    pub online: bool,
    pub behavior: Behavior,
    pub linked_devices: Vec<LinkedDevice>,
    pub received_count: i32,
}

/// A phone with what reached it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxPhone")]
pub struct PhoneDetail {
    pub number: PhoneNumber,
    pub name: String,
    pub online: bool,
    pub behavior: Behavior,
    pub linked_devices: Vec<LinkedDevice>,
    pub received_count: i32,
    #[arguments(first: 100)]
    pub received: ReceivedPage,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxLinkedDevice")]
pub struct LinkedDevice {
    pub id: i32,
    pub platform: String,
    pub online: bool,
    pub linked_at: At,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxBehavior")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the phone")]
pub struct Behavior {
    pub online: bool,
    pub delivers: bool,
    pub reads: bool,
    pub replies: Option<Reply>,
    pub latency_ms: i32,
    pub blocks: Vec<String>,
    pub nack_code: Option<i32>,
    pub on_whats_app: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxReply")]
pub struct Reply {
    pub echo: bool,
    pub text: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxReceivedConnection")]
pub struct ReceivedPage {
    pub nodes: Vec<Received>,
    pub total_count: i32,
}

/// One line of the ledger of what reached a phone.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "SandboxReceived")]
pub struct Received {
    pub sequence: i32,
    pub whatsapp_id: String,
    pub from: PhoneNumber,
    pub group: Option<Jid>,
    pub kind: String,
    pub text: Option<String>,
    pub times_on_wire: i32,
    pub at: At,
}

#[derive(cynic::QueryVariables, Debug)]
struct ByNumber {
    number: PhoneNumber,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ByNumber")]
struct PhoneQuery {
    sandbox: Option<PhoneOfSandbox>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sandbox", variables = "ByNumber")]
struct PhoneOfSandbox {
    #[arguments(number: $number)]
    phone: Option<PhoneDetail>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription")]
pub struct WatchSandbox {
    pub sandbox_updated: PhoneNumberOnly,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "SandboxPhone")]
pub struct PhoneNumberOnly {
    pub number: PhoneNumber,
}

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

/// Whether this server has a sandbox.
pub async fn is_on() -> Result<bool, ApiError> {
    let sandbox = client::run(IsOn::build(())).await?.sandbox;
    Ok(sandbox.is_some_and(|sandbox| !sandbox.url.is_empty()))
}

/// The phones, sorted by number; none where there is no sandbox.
pub async fn phones(first: i32, after: Option<String>) -> Result<Option<PhonePage>, ApiError> {
    let answer = client::run(PhonesQuery::build(PhonesVariables { first, after })).await?;
    Ok(answer.sandbox.map(|sandbox| sandbox.phones))
}

pub async fn phone(number: PhoneNumber) -> Result<Option<PhoneDetail>, ApiError> {
    let sandbox = client::run(PhoneQuery::build(ByNumber { number })).await?.sandbox;
    Ok(sandbox.and_then(|sandbox| sandbox.phone))
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
    let input = SandboxSendInput {
        from,
        to: SandboxTargetInput::Phone(to),
        text,
    };
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
