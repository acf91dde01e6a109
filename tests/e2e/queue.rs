//! The queue says of every message what its status says, and what is wrong in it holds up nothing.

use anyhow::{Context, Result, ensure};
use sandbox::{Behavior, BehaviorPatch};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{LinkedDevice, Stage, TestDatabase, eventually, rows};

tests::on_both_databases!(
    a_failed_message_is_tried_again,
    a_place_that_is_wrong_holds_up_nothing,
    a_device_is_deleted_while_it_sends,
);

const BUDI: &str = "+6281200000002";

/// Nothing is under way any more, and the queue knows it.
async fn queue_is_right(stage: &Stage) -> Result<()> {
    let faults = rows::faults_of_queue(&stage.database).await?;
    ensure!(faults.is_empty(), "{faults:?}");
    Ok(())
}

async fn disconnect(stage: &Stage, device: &LinkedDevice) -> Result<()> {
    let document = "mutation($id: ID!) { disconnectDevice(id: $id) { device { status } userErrors { code message } } }";
    let input = json!({ "id": device.id });
    stage.client.mutate(document, input, "disconnectDevice").await?;
    Ok(())
}

async fn a_failed_message_is_tried_again(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let refusing = Behavior {
        nack_code: Some(463),
        ..Behavior::default()
    };
    stage.phone_that(BUDI, refusing)?;
    let id = stage.send_text(&device.id, BUDI, "buy now").await?;
    let failed = stage.until_message(&id, "FAILED").await?;
    queue_is_right(&stage).await?;

    let taking = BehaviorPatch {
        nack_code: Some(None),
        ..BehaviorPatch::default()
    };
    stage.network.set_behavior(BUDI, taking)?;
    let retry = "mutation($id: ID!) { retryMessage(id: $id) {
        message { status whatsappId error { code } } userErrors { code message } } }";
    let payload = stage.client.mutate(retry, json!({ "id": id }), "retryMessage").await?;
    ensure!(payload["message"]["status"] == "QUEUED", "{payload}");
    ensure!(payload["message"]["whatsappId"] == failed["whatsappId"], "{payload}");
    ensure!(payload["message"]["error"].is_null(), "{payload}");
    stage.until_message(&id, "DELIVERED").await?;
    ensure!(stage.network.received_count(BUDI) == 1);
    queue_is_right(&stage).await?;

    let refused = stage.client.refused(retry, json!({ "id": id }), "retryMessage").await?;
    ensure!(refused == "CONFLICT", "{refused}");
    Ok(())
}

/// What no path of the server leaves behind: somebody wrote to the database.
async fn a_place_that_is_wrong_holds_up_nothing(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone(BUDI)?;
    disconnect(&stage, &device).await?;
    let ended = stage.send_text(&device.id, BUDI, "ended").await?;
    let stuck = stage.send_text(&device.id, BUDI, "stuck").await?;
    let fine = stage.send_text(&device.id, BUDI, "fine").await?;
    let name = async |id: &str| -> Result<String> {
        let message = stage.message(id).await?;
        Ok(message["whatsappId"].as_str().context("no WhatsApp id")?.to_owned())
    };
    let connection = stage.database.connect().await?;
    let end = format!(
        "UPDATE message SET status = 'canceled' WHERE whatsapp_id = '{}'",
        name(&ended).await?
    );
    let takes = format!(
        "UPDATE message_queue SET sending = true WHERE message_id = (SELECT id FROM message WHERE whatsapp_id = '{}')",
        name(&stuck).await?
    );
    for statement in [end, takes] {
        connection.execute_unprepared(&statement).await?;
    }
    let faults = rows::faults_of_queue(&stage.database).await?;
    ensure!(faults.len() == 2, "{faults:?}");

    stage.connect_device(&device.id).await?;
    stage.until_message(&fine, "DELIVERED").await?;
    stage.until_message(&stuck, "DELIVERED").await?;
    let canceled = stage.message(&ended).await?;
    ensure!(canceled["status"] == "CANCELED", "{canceled}");
    ensure!(stage.network.received_count(BUDI) == 2);
    queue_is_right(&stage).await
}

async fn a_device_is_deleted_while_it_sends(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let other = stage.linked_device("+6281200000003").await?;
    stage.phone(BUDI)?;
    disconnect(&stage, &device).await?;
    for number in 0..200 {
        stage.send_text(&device.id, BUDI, &format!("text {number}")).await?;
    }
    stage.connect_device(&device.id).await?;
    eventually("some are on their way", || async {
        Ok((stage.network.received_count(BUDI) > 20).then_some(()))
    })
    .await?;
    let delete = "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code message } } }";
    stage
        .client
        .mutate(delete, json!({ "id": device.id }), "deleteDevice")
        .await?;
    let data = stage
        .client
        .query("{ messages(first: 1) { totalCount } }", json!({}))
        .await?;
    ensure!(data["messages"]["totalCount"] == 0, "{data}");
    let left = rows::count_queue(&stage.database).await?;
    ensure!(left == 0, "{left} places are left");

    let id = stage.send_text(&other.id, BUDI, "still here").await?;
    stage.until_message(&id, "DELIVERED").await?;
    queue_is_right(&stage).await
}
