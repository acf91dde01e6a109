//! What survives restarts and lost connections.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sandbox::{Behavior, Disruption, Target};
use tests::{Stage, StageOptions, TestDatabase, eventually};

tests::on_both_databases!(
    a_device_stays_linked_over_a_restart_of_kabar,
    a_device_stays_linked_over_a_restart_of_the_network,
    a_socket_that_drops_before_the_ack_does_not_double_the_message,
    what_arrives_while_kabar_is_down_is_there_afterwards,
    messages_wait_for_a_device_that_is_not_connected,
    a_deaf_connection_is_noticed_and_replaced,
);

async fn a_device_stays_linked_over_a_restart_of_kabar(database: TestDatabase) -> Result<()> {
    let mut stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    for round in 0..2 {
        stage.kabar.restart().await?;
        let now = stage.until_status(&device.id, "CONNECTED").await?;
        ensure!(now["phoneNumber"] == device.number.as_str(), "{now}");
        let id = stage
            .send_text(&device.id, "+6281200000002", &format!("round {round}"))
            .await?;
        stage.until_message(&id, "DELIVERED").await?;
    }
    let phone = stage.network.phone(&device.number).context("the phone is gone")?;
    ensure!(
        phone.linked_devices.len() == 1,
        "it linked again instead of logging in: {phone:?}"
    );
    Ok(())
}

async fn a_device_stays_linked_over_a_restart_of_the_network(database: TestDatabase) -> Result<()> {
    let options = StageOptions {
        lasting_network: true,
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let before = stage.send_text(&device.id, "+6281200000002", "before").await?;
    stage.until_message(&before, "DELIVERED").await?;

    stage.stop_network().await;
    eventually("the device is seen as gone", || async {
        Ok((stage.device(&device.id).await?["status"] != "CONNECTED").then_some(()))
    })
    .await?;
    let during = stage.send_text(&device.id, "+6281200000002", "during").await?;
    stage.start_network().await?;

    stage.until_status(&device.id, "CONNECTED").await?;
    stage.until_message(&during, "DELIVERED").await?;
    let texts: Vec<_> = stage
        .network
        .received("+6281200000002", None, 10)?
        .into_iter()
        .filter_map(|row| row.text)
        .collect();
    ensure!(texts == ["before", "during"], "{texts:?}");
    Ok(())
}

async fn a_socket_that_drops_before_the_ack_does_not_double_the_message(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    for round in 0..5 {
        stage
            .network
            .disrupt(&device.number, Disruption::DropSocketAfter { messages: 1 })
            .await?;
        let id = stage
            .send_text(&device.id, "+6281200000002", &format!("round {round}"))
            .await?;
        stage.until_message(&id, "DELIVERED").await?;
    }
    let ledger = stage.network.received("+6281200000002", None, 20)?;
    let texts: Vec<_> = ledger.iter().filter_map(|row| row.text.as_deref()).collect();
    ensure!(
        texts == ["round 0", "round 1", "round 2", "round 3", "round 4"],
        "{ledger:?}"
    );
    Ok(())
}

async fn what_arrives_while_kabar_is_down_is_there_afterwards(database: TestDatabase) -> Result<()> {
    let mut stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that("+6281200000002", Behavior::default())?;
    stage.kabar.terminate().await?;
    for number in 0..20 {
        stage
            .network
            .send_text(
                "+6281200000002",
                Target::Phone(device.number.clone()),
                &format!("missed {number:02}"),
            )
            .await?;
    }
    stage.kabar.start_again().await?;
    let bodies = eventually("all missed messages are stored", || async {
        let document = "{ messages(first: 50, where: { direction: IN }, orderBy: CREATED_ASC) { nodes {
            content { ... on TextContent { body } } } } }";
        let data = stage.client.query(document, serde_json::json!({})).await?;
        let nodes = data["messages"]["nodes"].as_array().cloned().unwrap_or_default();
        Ok((nodes.len() >= 20).then_some(nodes))
    })
    .await?;
    let mut bodies: Vec<&str> = bodies
        .iter()
        .filter_map(|node| node["content"]["body"].as_str())
        .collect();
    bodies.sort_unstable();
    let expected: Vec<String> = (0..20).map(|number| format!("missed {number:02}")).collect();
    ensure!(bodies == expected, "{bodies:?}");
    Ok(())
}

async fn messages_wait_for_a_device_that_is_not_connected(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    stage
        .network
        .disrupt(&device.number, Disruption::Refuse { connections: true })
        .await?;
    stage.network.disrupt(&device.number, Disruption::DropSocket).await?;
    eventually("the device is seen as gone", || async {
        Ok((stage.device(&device.id).await?["status"] != "CONNECTED").then_some(()))
    })
    .await?;

    let id = stage
        .send_text(&device.id, "+6281200000002", "as soon as you are back")
        .await?;
    let message = stage.message(&id).await?;
    ensure!(
        message["status"] == "QUEUED" && message["attempts"] == 0,
        "waiting is no attempt: {message}"
    );

    stage
        .network
        .disrupt(&device.number, Disruption::Refuse { connections: false })
        .await?;
    stage.until_message(&id, "DELIVERED").await?;
    Ok(())
}

async fn a_deaf_connection_is_noticed_and_replaced(database: TestDatabase) -> Result<()> {
    let environment = vec![("KABAR_ENGINE_ACK_TIMEOUT_MS", "1500".to_owned())];
    let stage = Stage::with(
        database,
        StageOptions {
            environment,
            ..StageOptions::default()
        },
    )
    .await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    stage
        .network
        .disrupt(&device.number, Disruption::Freeze { frozen: true })
        .await?;
    let id = stage
        .send_text(&device.id, "+6281200000002", "can you hear me?")
        .await?;
    eventually("the device is not trusted any more", || async {
        Ok((stage.device(&device.id).await?["status"] != "CONNECTED").then_some(()))
    })
    .await?;
    ensure!(
        stage.message(&id).await?["status"] != "SENT",
        "what no server acknowledged is not sent"
    );

    stage
        .network
        .disrupt(&device.number, Disruption::Freeze { frozen: false })
        .await?;
    // A connection that began while the network was frozen stays deaf until its own time-outs end it.
    stage
        .until_message_within(Duration::from_mins(2), &id, "DELIVERED")
        .await?;
    ensure!(stage.network.received_count("+6281200000002") == 1);
    Ok(())
}
