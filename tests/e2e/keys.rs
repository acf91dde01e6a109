//! Keys and the configured secret change under linked devices: no device is linked again, no message is lost.

use anyhow::{Context, Result, ensure};
use sea_orm::EntityTrait;
use tests::{Place, Stage, StageOptions, TestDatabase, connect};

tests::on_both_databases!(devices_stay_linked_while_key_and_secret_change);

const OLD: &str = "an old text of more than thirty-two bytes";
const NEW: &str = "the new text of more than thirty-two bytes";

async fn devices_stay_linked_while_key_and_secret_change(database: TestDatabase) -> Result<()> {
    let options = StageOptions {
        environment: vec![("KABAR_SECRET_KEY", OLD.to_owned())],
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    delivered(&stage, &device.id, "before").await?;

    // The new secret beside the old one, on every node; then the rotation, while messages go out.
    stage.kabar.terminate().await?;
    stage.kabar.set("KABAR_SECRET_KEY", NEW);
    stage.kabar.set("KABAR_PREVIOUS_SECRET_KEYS", OLD);
    stage.kabar.start_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let mut rotation = tokio::process::Command::new(Place::find()?.program("kabar")?)
        .args(["admin", "rotate-encryption-key"])
        .env("KABAR_DATABASE_URL", stage.database.url())
        .env("KABAR_SECRET_KEY", NEW)
        .env("KABAR_PREVIOUS_SECRET_KEYS", OLD)
        .kill_on_drop(true)
        .spawn()?;
    let mut sent = Vec::new();
    let status = loop {
        sent.push(
            stage
                .send_text(&device.id, "+6281200000002", &format!("text {}", sent.len()))
                .await?,
        );
        if let Some(status) = rotation.try_wait()? {
            break status;
        }
        stage
            .until_message(sent.last().context("one was sent")?, "DELIVERED")
            .await?;
    };
    ensure!(status.success(), "the rotation failed: {status}");
    for id in &sent {
        stage.until_message(id, "DELIVERED").await?;
    }
    let connection = connect(&stage.database.url()).await?;
    let records = entity::engine_record::Entity::find().all(&connection).await?;
    connection.close().await?;
    ensure!(
        records.len() > 10 && records.iter().all(|record| record.value.first() == Some(&2)),
        "{} records, of which some are under the old key",
        records.len()
    );

    // The old secret is not needed any more.
    stage.kabar.terminate().await?;
    stage.kabar.set("KABAR_PREVIOUS_SECRET_KEYS", "");
    stage.kabar.start_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    delivered(&stage, &device.id, "after").await?;
    let phone = stage.network.phone(&device.number).context("the phone is gone")?;
    ensure!(phone.linked_devices.len() == 1, "it linked again: {phone:?}");
    Ok(())
}

async fn delivered(stage: &Stage, device: &str, text: &str) -> Result<()> {
    let id = stage.send_text(device, "+6281200000002", text).await?;
    stage.until_message(&id, "DELIVERED").await?;
    Ok(())
}
