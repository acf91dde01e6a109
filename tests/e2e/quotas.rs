//! Quotas of messages, and what happens to the outbox of a suspended tenant.

use anyhow::{Context, Result, ensure};
use sandbox::Target;
use serde_json::{Value, json};
use tests::{SEND, Stage, StageOptions, TestDatabase, eventually, text_input};

tests::on_both_databases!(
    parallel_sends_never_exceed_the_quota,
    a_canceled_message_gives_its_place_back,
    messages_of_a_suspended_tenant_wait,
);

async fn tenant_id(stage: &Stage) -> Result<Value> {
    Ok(stage.client.query("{ tenant { id } }", json!({})).await?["tenant"]["id"].clone())
}

async fn limit_messages(stage: &Stage, per_day: i64) -> Result<()> {
    let document = "mutation($input: UpdateTenantInput!) { updateTenant(input: $input) { userErrors { code } } }";
    let limits = json!([{ "meter": "MESSAGES_PER_DAY", "limit": per_day }]);
    let input = json!({ "input": { "id": tenant_id(stage).await?, "limitOverrides": limits } });
    stage.client.mutate(document, input, "updateTenant").await?;
    Ok(())
}

async fn used(stage: &Stage, meter: &str) -> Result<Value> {
    let data = stage
        .client
        .query("{ tenant { limits { meter used } } }", json!({}))
        .await?;
    let limits = data["tenant"]["limits"].as_array().context("no limits")?;
    let found = limits.iter().find(|limit| limit["meter"] == meter);
    Ok(found.context("the meter is missing")?["used"].clone())
}

async fn parallel_sends_never_exceed_the_quota(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    for _ in 0..10 {
        stage.send_text(&device.id, "+6281200000002", "before").await?;
    }
    limit_messages(&stage, 60).await?;

    let sends = (0..200).map(|number| {
        let input = text_input(&device.id, "+6281200000002", &format!("text {number}"));
        let client = stage.client.clone();
        async move {
            let document = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
                message { id } userErrors { code retryAt details } } }";
            client.query(document, json!({ "input": input })).await
        }
    });
    let answers = futures::future::try_join_all(sends).await?;
    let payloads: Vec<&Value> = answers.iter().map(|data| &data["sendMessage"]).collect();
    let accepted = payloads.iter().filter(|payload| !payload["message"].is_null()).count();
    ensure!(accepted == 50, "{accepted} instead of 50 were accepted");
    for payload in payloads.iter().filter(|payload| payload["message"].is_null()) {
        let error = &payload["userErrors"][0];
        ensure!(
            error["code"] == "QUOTA_EXCEEDED" && error["retryAt"].is_string() && error["details"]["limit"] == 60,
            "{error}"
        );
    }
    ensure!(used(&stage, "MESSAGES_PER_DAY").await? == 60);
    ensure!(used(&stage, "MESSAGES_PER_MONTH").await? == 60);

    let arrived = eventually("all that was accepted arrives", || async {
        let received = stage.network.received_count("+6281200000002");
        Ok((received >= 60).then_some(received))
    })
    .await?;
    ensure!(arrived == 60, "{arrived} texts arrived");
    Ok(())
}

async fn a_canceled_message_gives_its_place_back(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    limit_messages(&stage, 1).await?;
    let disconnect = "mutation($id: ID!) { disconnectDevice(id: $id) { userErrors { code } } }";
    stage
        .client
        .mutate(disconnect, json!({ "id": device.id }), "disconnectDevice")
        .await?;
    stage.until_status(&device.id, "DISCONNECTED").await?;
    let first = stage.send_text(&device.id, "+6281200000002", "first").await?;
    let second = json!({ "input": text_input(&device.id, "+6281200000002", "second") });
    ensure!(stage.client.refused(SEND, second.clone(), "sendMessage").await? == "QUOTA_EXCEEDED");
    let cancel = "mutation($id: ID!) { cancelMessage(id: $id) { message { status } userErrors { code } } }";
    stage
        .client
        .mutate(cancel, json!({ "id": first }), "cancelMessage")
        .await?;
    ensure!(used(&stage, "MESSAGES_PER_DAY").await? == 0);
    // A second cancel takes nothing more back.
    ensure!(
        stage
            .client
            .refused(cancel, json!({ "id": first }), "cancelMessage")
            .await?
            == "CONFLICT"
    );
    stage.client.mutate(SEND, second, "sendMessage").await?;
    ensure!(used(&stage, "MESSAGES_PER_DAY").await? == 1);
    Ok(())
}

async fn messages_of_a_suspended_tenant_wait(database: TestDatabase) -> Result<()> {
    let options = StageOptions {
        lasting_network: true,
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    stage.stop_network().await;
    eventually("the device is seen as gone", || async {
        Ok((stage.device(&device.id).await?["status"] != "CONNECTED").then_some(()))
    })
    .await?;
    let id = stage.send_text(&device.id, "+6281200000002", "patience").await?;
    let tenant = tenant_id(&stage).await?;
    let suspend = "mutation($id: ID!) { suspendTenant(input: { id: $id }) { userErrors { code } } }";
    stage
        .client
        .mutate(suspend, json!({ "id": tenant }), "suspendTenant")
        .await?;

    // The device comes back and hears, but says nothing.
    stage.start_network().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    stage
        .network
        .send_text("+6281200000002", Target::Phone(device.number.clone()), "are you there?")
        .await?;
    eventually("incoming messages are stored", || async {
        let count = "{ messages(where: { direction: IN }) { totalCount } }";
        let data = stage.client.query(count, json!({})).await?;
        Ok((data["messages"]["totalCount"] == 1).then_some(()))
    })
    .await?;
    ensure!(
        stage.message(&id).await?["status"] == "QUEUED",
        "a suspended tenant's message left"
    );
    let input = json!({ "input": text_input(&device.id, "+6281200000002", "no") });
    let response = stage.client.send(SEND, input).await?;
    ensure!(response.code() == Some("TENANT_SUSPENDED"), "{response:?}");

    let activate = "mutation($id: ID!) { activateTenant(id: $id) { userErrors { code } } }";
    stage
        .client
        .mutate(activate, json!({ "id": tenant }), "activateTenant")
        .await?;
    stage.until_message(&id, "DELIVERED").await?;
    Ok(())
}
