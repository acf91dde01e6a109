//! The sandbox: simulated phones to link, write and break things with.

mod control;
mod groups;

use cynic::QueryBuilder;

use super::{
    client,
    error::ApiError,
    schema,
    values::{At, Backward, Forward, Jid, PhoneNumber},
};
pub use control::{
    SandboxBehaviorInput, SandboxDisruptionInput, SandboxNackInput, SandboxReplyInput, create_phone, disrupt,
    enter_pairing_code, scan_qr, send, send_to_group, set_behavior,
};
pub use groups::{Group, create_group, groups};

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

/// A phone, as the table and its own page show it.
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
    pub page_info: Backward,
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
    phone: Option<Phone>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ReceivedVariables {
    number: PhoneNumber,
    last: i32,
    before: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ReceivedVariables")]
struct ReceivedQuery {
    sandbox: Option<ReceivedOfSandbox>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sandbox", variables = "ReceivedVariables")]
struct ReceivedOfSandbox {
    #[arguments(number: $number)]
    phone: Option<ReceivedOfPhone>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "SandboxPhone", variables = "ReceivedVariables")]
struct ReceivedOfPhone {
    #[arguments(last: $last, before: $before)]
    received: ReceivedPage,
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

pub async fn phone(number: PhoneNumber) -> Result<Option<Phone>, ApiError> {
    let sandbox = client::run(PhoneQuery::build(ByNumber { number })).await?.sandbox;
    Ok(sandbox.and_then(|sandbox| sandbox.phone))
}

/// What reached a phone, oldest first: the newest `last` rows of those before the cursor; none where there is no such
/// phone.
pub async fn received(
    number: PhoneNumber,
    last: i32,
    before: Option<String>,
) -> Result<Option<ReceivedPage>, ApiError> {
    let variables = ReceivedVariables { number, last, before };
    let sandbox = client::run(ReceivedQuery::build(variables)).await?.sandbox;
    Ok(sandbox.and_then(|sandbox| sandbox.phone).map(|phone| phone.received))
}
