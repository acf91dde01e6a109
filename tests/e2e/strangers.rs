//! Another tenant's objects do not exist: every root field of the schema is asked for them.
//!
//! **Invariant:** a root field that takes an id is either tried below or listed with the reason why not.

use anyhow::{Context, Result, ensure};
use sandbox::Target;
use serde_json::{Value, json};
use tests::{Client, PASSWORD, SEND, Stage, TestDatabase, eventually, second_tenant, text_input};

tests::on_both_databases!(a_stranger_finds_nothing);

/// Root fields that take no id of a tenant's object, or whose objects belong to no tenant.
const WITHOUT_IDS: [(&str, &str); 60] = [
    ("viewer", "about the caller"),
    ("tenant", "about the caller's own"),
    ("overview", "counts the caller's own; tried below"),
    ("sandbox", "the network belongs to no tenant; only in test builds"),
    ("sandboxUpdated", "as sandbox"),
    ("sandboxCreatePhone", "as sandbox"),
    ("sandboxEnterPairingCode", "as sandbox"),
    ("sandboxSend", "as sandbox"),
    ("sandboxSetBehavior", "as sandbox"),
    ("sandboxDisrupt", "as sandbox"),
    ("sandboxCreateGroup", "as sandbox"),
    ("login", "before anybody is somebody"),
    ("completeLogin", "as login; tests/api/second_factor.rs"),
    ("requestPasswordReset", "answers the same for everybody"),
    ("passwordReset", "whoever holds the link; tests/api/password_reset.rs"),
    ("resetPassword", "whoever holds the link; tests/api/password_reset.rs"),
    ("createPasswordResetLink", "as platform; tests/api/password_reset.rs"),
    ("enrollSecondFactor", "the caller's own"),
    ("confirmSecondFactor", "the caller's own"),
    ("renewRecoveryCodes", "the caller's own"),
    ("disableSecondFactor", "the caller's own"),
    ("refreshSession", "a session's own token"),
    ("logout", "the caller's own session"),
    ("updateTenantSettings", "the caller's own"),
    ("platform", "operators only; tried in tests/api/platform.rs"),
    ("createTenant", "as platform"),
    ("updateTenant", "as platform"),
    ("suspendTenant", "as platform"),
    ("activateTenant", "as platform"),
    ("deleteTenant", "as platform; tests/api/deletion.rs"),
    ("grantTenantAccess", "as platform; tests/api/grants.rs"),
    ("revokeTenantAccess", "as platform; tests/api/grants.rs"),
    ("updatePlatformSettings", "as platform"),
    ("createPlan", "as platform"),
    ("updatePlan", "as platform"),
    ("deletePlan", "as platform"),
    ("createDevice", "takes no id"),
    ("devices", "lists; tried below"),
    ("events", "lists; tried below"),
    ("chats", "lists; tried below"),
    ("messages", "lists; tried below"),
    ("members", "lists the caller's own; tests/api/members.rs"),
    ("invitations", "lists the caller's own; tests/api/members.rs"),
    ("invitation", "whoever holds the link"),
    ("acceptInvitation", "whoever holds the link; tests/api/members.rs"),
    ("inviteMember", "takes no id"),
    ("updateMember", "tests/api/members.rs"),
    ("removeMember", "tests/api/members.rs"),
    ("resendInvitation", "tests/api/members.rs"),
    ("revokeInvitation", "tests/api/members.rs"),
    ("sessions", "the caller's own"),
    ("endSession", "tests/api/account.rs"),
    ("changePassword", "the caller's own"),
    ("usage", "the caller's own; tests/api/usage.rs"),
    ("permissions", "the same table for everybody"),
    ("apiTokens", "lists the caller's own; tests/api/api_tokens.rs"),
    ("createApiToken", "foreign devices: tests/api/api_tokens.rs"),
    ("updateApiToken", "tests/api/api_tokens.rs"),
    ("revokeApiToken", "tests/api/api_tokens.rs"),
    ("auditLog", "lists the caller's own; tests/api/audit.rs"),
];

const MUTATIONS: [(&str, &str, &str); 11] = [
    ("updateDevice", "input: { id: $id, name: \"mine\" }", "device"),
    ("connectDevice", "id: $id", "device"),
    (
        "requestPairingCode",
        "input: { deviceId: $id, phoneNumber: \"+6281200000009\" }",
        "device",
    ),
    ("disconnectDevice", "id: $id", "device"),
    ("logoutDevice", "id: $id", "device"),
    ("restartDevice", "id: $id", "device"),
    ("wipeDevice", "id: $id", "device"),
    ("deleteDevice", "id: $id", "device"),
    ("cancelMessage", "id: $id", "message"),
    ("retryMessage", "id: $id", "message"),
    ("markChatRead", "chatId: $id", "chat"),
];

async fn a_stranger_finds_nothing(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let message = stage.send_text(&device.id, "+6281200000002", "ours").await?;
    stage.until_message(&message, "DELIVERED").await?;
    let chat = stage
        .client
        .query("{ chats(first: 1) { nodes { id } } }", json!({}))
        .await?;
    let chat = chat["chats"]["nodes"][0]["id"].as_str().context("no chat")?.to_owned();
    second_tenant(&stage.database.url(), "stranger@kabar.test").await?;
    let (stranger, session) = Client::new(stage.kabar.base())
        .login("stranger@kabar.test", PASSWORD)
        .await?;
    ensure!(
        session["viewer"]["tenant"]["id"] != stage.client.query("{ tenant { id } }", json!({})).await?["tenant"]["id"]
    );
    let mut live = stranger
        .subscribe("subscription { events { type } }", json!({}))
        .await?;
    let mut updates = stranger
        .subscribe(
            "subscription($id: ID) { deviceUpdated(id: $id) { id } }",
            json!({ "id": device.id }),
        )
        .await;

    for id in [&device.id, &message, &chat] {
        let found = stranger
            .query("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id }))
            .await?;
        ensure!(found["node"].is_null(), "{found}");
    }
    let found = stranger
        .query("query($id: ID!) { device(id: $id) { id } }", json!({ "id": device.id }))
        .await?;
    ensure!(found["device"].is_null(), "{found}");
    for (mutation, argument, of) in MUTATIONS {
        let id = match of {
            "device" => &device.id,
            "message" => &message,
            _ => &chat,
        };
        let document = format!("mutation($id: ID!) {{ {mutation}({argument}) {{ userErrors {{ code }} }} }}");
        let code = stranger.refused(&document, json!({ "id": id }), mutation).await?;
        ensure!(code == "NOT_FOUND", "{mutation}: {code}");
    }
    let input = json!({ "input": text_input(&device.id, "+6281200000002", "theirs") });
    ensure!(stranger.refused(SEND, input, "sendMessage").await? == "NOT_FOUND");
    let scan = "mutation($id: ID!) { sandboxScanQr(input: { deviceId: $id, phone: \"+6281200000002\" }) { userErrors { code } } }";
    let scanned = stranger.send(scan, json!({ "id": device.id })).await?;
    ensure!(scanned.data["sandboxScanQr"]["phone"].is_null(), "{scanned:?}");
    lists_are_empty(&stranger, &device.id, &chat).await?;
    let (status, _) = stranger.get(&format!("/devices/{}/qr.png", device.id)).await?;
    ensure!(status == 404, "{status}");

    stage
        .network
        .send_text("+6281200000002", Target::Phone(device.number.clone()), "hello")
        .await?;
    eventually("the answer is stored", || async {
        let data = stage
            .client
            .query("{ messages(where: { direction: IN }) { totalCount } }", json!({}))
            .await?;
        Ok((data["messages"]["totalCount"] == 1).then_some(()))
    })
    .await?;
    ensure!(
        live.poll(std::time::Duration::from_millis(500)).await?.is_none(),
        "the stranger hears our events"
    );
    if let Ok(updates) = &mut updates {
        let heard = updates.poll(std::time::Duration::from_millis(100)).await;
        ensure!(
            !matches!(heard, Ok(Some(_))),
            "the stranger hears of our device: {heard:?}"
        );
    }
    every_root_field_is_accounted_for(&stage.client).await
}

async fn lists_are_empty(stranger: &Client, device: &str, chat: &str) -> Result<()> {
    let document = "query($device: ID, $chat: ID) {
        devices { totalCount } all: messages { totalCount } chats { totalCount } events(first: 10) { nodes { cursor } }
        of: messages(where: { deviceId: $device }) { totalCount } in: messages(where: { chatId: $chat }) { totalCount }
        its: chats(deviceId: $device) { totalCount } overview { devices { total } unreadChats } }";
    let response = stranger
        .send(document, json!({ "device": device, "chat": chat }))
        .await?;
    // Filters by somebody else's ids may be refused as a whole; then the lists are asked alone.
    let data = if response.errors.is_empty() {
        response.data
    } else {
        let told = Value::Array(response.errors).to_string();
        ensure!(told.contains("NOT_FOUND") || told.contains("BAD_REQUEST"), "{told}");
        let document = "{ devices { totalCount } all: messages { totalCount } chats { totalCount }
            events(first: 10) { nodes { cursor } } overview { devices { total } unreadChats } }";
        stranger.query(document, json!({})).await?
    };
    for (name, value) in data.as_object().context("no data")? {
        let numbers = [&value["totalCount"], &value["devices"]["total"], &value["unreadChats"]];
        ensure!(
            numbers.iter().all(|number| number.is_null() || **number == 0),
            "{name}: {value}"
        );
        ensure!(value["nodes"].as_array().is_none_or(Vec::is_empty), "{name}: {value}");
    }
    Ok(())
}

async fn every_root_field_is_accounted_for(client: &Client) -> Result<()> {
    let document = "{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }";
    let schema = client.query(document, json!({})).await?["__schema"].clone();
    let tried = [
        "node",
        "device",
        "deviceUpdated",
        "messageUpdated",
        "sendMessage",
        "sandboxScanQr",
    ];
    for root in ["queryType", "mutationType", "subscriptionType"] {
        for field in schema[root]["fields"].as_array().context("no fields")? {
            let name = field["name"].as_str().unwrap_or_default();
            let known = tried.contains(&name)
                || MUTATIONS.iter().any(|(mutation, _, _)| *mutation == name)
                || WITHOUT_IDS.iter().any(|(without, _)| *without == name);
            ensure!(
                known,
                "{name} is new: try it as a stranger, or say why that is not needed"
            );
        }
    }
    Ok(())
}
