//! Subscribers that come and go.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use sandbox::{Behavior, Reply};
use serde_json::{Value, json};
use tests::{Stage, TestDatabase, eventually};

tests::on_both_databases!(
    a_subscriber_that_reconnects_with_its_cursor_sees_each_event_once,
    a_subscriber_without_a_valid_token_is_told_so,
);

const TEXTS: usize = 150;
const DOCUMENT: &str = "subscription($after: Cursor) { events(after: $after) { cursor type } }";

async fn a_subscriber_that_reconnects_with_its_cursor_sees_each_event_once(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that(
        "+6281200000002",
        Behavior {
            replies: Some(Reply::Echo),
            reads: true,
            ..Behavior::default()
        },
    )?;
    let mut seen: Vec<String> = vec![newest_cursor(&stage).await?];
    let before = seen.len();

    let sending = async {
        for number in 0..TEXTS {
            stage
                .send_text(&device.id, "+6281200000002", &format!("text {number}"))
                .await?;
        }
        anyhow::Ok(())
    };
    let listening = async {
        let mut quiet = false;
        while !quiet {
            let after = seen.last().cloned();
            let mut events = stage.client.subscribe(DOCUMENT, json!({ "after": after })).await?;
            for _ in 0..rand::rng().random_range(1..40) {
                // Quiet for so long while nothing is outstanding means that it is over.
                let Some(value) = events.poll(Duration::from_secs(3)).await? else {
                    quiet = all_answered(&stage).await?;
                    break;
                };
                seen.push(value["events"]["cursor"].as_str().context("no cursor")?.to_owned());
            }
            // Dropped without a word, as a lost connection is.
        }
        anyhow::Ok(())
    };
    tokio::try_join!(sending, listening)?;

    let logged = log_after(&stage, &seen[before - 1]).await?;
    ensure!(
        logged.len() >= TEXTS * 3,
        "only {} events for {TEXTS} texts and their answers",
        logged.len()
    );
    ensure!(
        seen[before..] == logged,
        "seen {} events, logged {}",
        seen.len() - before,
        logged.len()
    );
    Ok(())
}

async fn all_answered(stage: &Stage) -> Result<bool> {
    let document = "{ in: messages(first: 1, where: { direction: IN }) { totalCount }
        read: messages(first: 1, where: { direction: OUT, status: [READ] }) { totalCount } }";
    let data = stage.client.query(document, json!({})).await?;
    Ok(data["in"]["totalCount"] == TEXTS && data["read"]["totalCount"] == TEXTS)
}

/// The cursor of the newest event there is.
async fn newest_cursor(stage: &Stage) -> Result<String> {
    eventually("there is an event", || async {
        Ok(whole_log(stage, None).await?.pop())
    })
    .await
}

async fn log_after(stage: &Stage, cursor: &str) -> Result<Vec<String>> {
    whole_log(stage, Some(cursor.to_owned())).await
}

async fn whole_log(stage: &Stage, mut after: Option<String>) -> Result<Vec<String>> {
    let document =
        "query($after: Cursor) { events(after: $after, first: 100) { nodes { cursor } pageInfo { hasNextPage } } }";
    let mut cursors = Vec::new();
    loop {
        let page: Value = stage.client.query(document, json!({ "after": after })).await?["events"].clone();
        let nodes = page["nodes"].as_array().context("no nodes")?;
        cursors.extend(
            nodes
                .iter()
                .filter_map(|node| node["cursor"].as_str().map(str::to_owned)),
        );
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(cursors);
        }
        after = cursors.last().cloned();
    }
}

async fn a_subscriber_without_a_valid_token_is_told_so(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    for client in [stage.client.anonymous(), stage.client.with_token("forged.token.here")] {
        let told = match client.subscribe(DOCUMENT, json!({})).await {
            Ok(mut subscription) => format!("{:#}", subscription.next().await.err().context("it got an event")?),
            Err(error) => format!("{error:#}"),
        };
        ensure!(
            told.contains("UNAUTHENTICATED") || told.contains("4403") || told.contains("4401"),
            "{told}"
        );
    }
    Ok(())
}
