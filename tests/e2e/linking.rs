//! How a device gets linked, and how a link ends.

use anyhow::{Context, Result, ensure};
use sandbox::Disruption;
use serde_json::json;
use tests::{Stage, TestDatabase, eventually};

tests::on_both_databases!(
    a_scan_links_the_device_and_subscribers_see_every_step,
    a_pairing_code_links_the_device,
    the_qr_code_is_served_as_pictures,
    only_a_logout_asks_for_a_new_code,
    a_device_disconnects_and_connects_again_without_a_code,
    a_wiped_or_deleted_device_forgets_its_link,
);

async fn a_scan_links_the_device_and_subscribers_see_every_step(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    stage.phone("+6281200000001")?;
    let id = stage.create_device("Support").await?;
    let mut updates = stage
        .client
        .subscribe(
            "subscription($id: ID) { deviceUpdated(id: $id) { status qr { text } phoneNumber } }",
            json!({ "id": id }),
        )
        .await?;

    stage.connect_device(&id).await?;
    let qr = updates
        .until("a QR code is pushed", |value| {
            value["deviceUpdated"]["qr"]["text"].as_str().map(str::to_owned)
        })
        .await?;
    stage.network.scan_qr("+6281200000001", &qr).await?;
    let linked = updates
        .until("CONNECTED is pushed", |value| {
            (value["deviceUpdated"]["status"] == "CONNECTED").then(|| value["deviceUpdated"].clone())
        })
        .await?;

    ensure!(linked["phoneNumber"] == "+6281200000001", "{linked}");
    ensure!(linked["qr"].is_null(), "the code is gone once it was used: {linked}");
    let phone = stage.network.phone("+6281200000001").context("the phone is gone")?;
    ensure!(phone.linked_devices.len() == 1, "{phone:?}");
    Ok(())
}

/// The number is written as people dial it in the tenant's country.
async fn a_pairing_code_links_the_device(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    stage.phone("+6281200000001")?;
    let id = stage.create_device("Support").await?;
    let document = "mutation($input: RequestPairingCodeInput!) { requestPairingCode(input: $input) {
        device { pairingCode { code } } userErrors { code message } } }";
    let input = json!({ "input": { "deviceId": id, "phoneNumber": "0812-0000-0001" } });
    stage.client.mutate(document, input, "requestPairingCode").await?;
    let code = eventually("there is a pairing code", || async {
        Ok(stage.device(&id).await?["pairingCode"]["code"]
            .as_str()
            .map(str::to_owned))
    })
    .await?;

    stage.network.enter_pairing_code("+6281200000001", &code).await?;

    let device = stage.until_status(&id, "CONNECTED").await?;
    ensure!(device["phoneNumber"] == "+6281200000001", "{device}");
    Ok(())
}

async fn the_qr_code_is_served_as_pictures(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let id = stage.create_device("Support").await?;
    stage.connect_device(&id).await?;
    stage.qr(&id).await?;

    let (status, png) = stage.client.get(&format!("/devices/{id}/qr.png")).await?;
    ensure!(
        status == 200 && png.starts_with(b"\x89PNG"),
        "status {status}, {} bytes",
        png.len()
    );
    let (status, svg) = stage.client.get(&format!("/devices/{id}/qr.svg")).await?;
    ensure!(
        status == 200 && String::from_utf8_lossy(&svg).contains("<svg"),
        "status {status}"
    );
    let (status, _) = stage.client.anonymous().get(&format!("/devices/{id}/qr.png")).await?;
    ensure!(
        status == 401,
        "a code is worth an account; without a token the status was {status}"
    );
    Ok(())
}

async fn only_a_logout_asks_for_a_new_code(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;

    stage.network.disrupt(&device.number, Disruption::DropSocket).await?;
    eventually("the device is back after its socket was cut", || async {
        let phone = stage.network.phone(&device.number).context("the phone is gone")?;
        Ok(phone.linked_devices.iter().all(|linked| linked.online).then_some(()))
    })
    .await?;
    stage.until_status(&device.id, "CONNECTED").await?;

    stage
        .network
        .disrupt(&device.number, Disruption::LogOut { device: None })
        .await?;
    stage.until_status(&device.id, "LOGGED_OUT").await?;

    stage.connect_device(&device.id).await?;
    let qr = stage.qr(&device.id).await?;
    stage.network.scan_qr(&device.number, &qr).await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    Ok(())
}

async fn a_device_disconnects_and_connects_again_without_a_code(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let document = "mutation($id: ID!) { disconnectDevice(id: $id) { device { status } userErrors { code message } } }";
    stage
        .client
        .mutate(document, json!({ "id": device.id }), "disconnectDevice")
        .await?;
    stage.until_status(&device.id, "DISCONNECTED").await?;

    stage.connect_device(&device.id).await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let document = "mutation($id: ID!) { restartDevice(id: $id) { device { status } userErrors { code message } } }";
    stage
        .client
        .mutate(document, json!({ "id": device.id }), "restartDevice")
        .await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    Ok(())
}

async fn a_wiped_or_deleted_device_forgets_its_link(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let document = "mutation($id: ID!) { wipeDevice(id: $id) { device { status } userErrors { code message } } }";
    stage
        .client
        .mutate(document, json!({ "id": device.id }), "wipeDevice")
        .await?;
    stage.connect_device(&device.id).await?;
    stage.qr(&device.id).await?;

    let document = "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code message } } }";
    let deleted = stage
        .client
        .mutate(document, json!({ "id": device.id }), "deleteDevice")
        .await?;
    ensure!(deleted["deletedId"] == device.id.as_str(), "{deleted}");
    ensure!(
        stage.device(&device.id).await?.is_null(),
        "the deleted device is still there"
    );
    Ok(())
}
