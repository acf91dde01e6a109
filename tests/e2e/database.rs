//! The database goes away and comes back.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Kind, SEND, Stage, TestDatabase, eventually, run_on, text_input};

#[test]
fn a_database_that_is_gone_is_an_error_and_loses_nothing() -> Result<()> {
    run_on(Kind::Sqlite, |_| gone_and_back())
}

async fn gone_and_back() -> Result<()> {
    let (database, server) = TestDatabase::own_postgres().await?;
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let before = stage.send_text(&device.id, "+6281200000002", "before").await?;
    stage.until_message(&before, "DELIVERED").await?;

    tokio::task::spawn_blocking({
        let server = std::sync::Arc::clone(&server);
        move || server.stop()
    })
    .await??;
    let (live, _) = stage.client.get("/health/live").await?;
    ensure!(live == 200, "the process is alive, but said {live}");
    eventually("it is not ready", || async {
        Ok((stage.client.get("/health/ready").await?.0 == 503).then_some(()))
    })
    .await?;
    let input = json!({ "input": text_input(&device.id, "+6281200000002", "during") });
    let response = stage.client.send(SEND, input).await?;
    ensure!(
        !response.errors.is_empty(),
        "nothing can be accepted now, but: {response:?}"
    );
    let told = format!("{:?}", response.errors);
    ensure!(
        !told.contains("sqlx") && !told.contains("Connection refused"),
        "it tells about its insides: {told}"
    );

    tokio::task::spawn_blocking(move || server.start_again()).await??;
    eventually("it is ready again", || async {
        Ok((stage.client.get("/health/ready").await?.0 == 200).then_some(()))
    })
    .await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let after = stage.send_text(&device.id, "+6281200000002", "after").await?;
    stage.until_message(&after, "DELIVERED").await?;
    let texts: Vec<_> = stage
        .network
        .received("+6281200000002", None, 10)?
        .into_iter()
        .filter_map(|row| row.text)
        .collect();
    ensure!(texts == ["before", "after"], "{texts:?}");
    Ok(())
}
