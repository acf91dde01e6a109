//! kill -9 while texts come in: each is stored, counted and told once.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{RngExt, SeedableRng};
use sandbox::{Network, Target};
use serde_json::{Value, json};
use tests::{Stage, TestDatabase, within};

/// Devices write beside each other on Postgres.
const DEVICES: [&str; 3] = ["+6281200000001", "+6281200000002", "+6281200000003"];
const PHONES: usize = 20;
const TEXTS_PER_ROUND: usize = 3;
const KILLS: usize = 6;
const TOTAL: usize = DEVICES.len() * PHONES * TEXTS_PER_ROUND * (KILLS + 1);

tests::on_both_databases!(every_text_that_comes_in_is_stored_once_over_kills);

fn number(phone: usize) -> String {
    format!("+62813000{phone:05}")
}

async fn every_text_that_comes_in_is_stored_once_over_kills(database: TestDatabase) -> Result<()> {
    let mut stage = Stage::new(database).await?;
    for device in DEVICES {
        stage.linked_device(device).await?;
    }
    for phone in 0..PHONES {
        stage.phone(&number(phone))?;
    }
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    for round in 0..KILLS {
        let writing = tokio::spawn(write(stage.network.clone(), round));
        // At any moment: while they come, while they are stored, while devices connect again and are handed what waited.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..600))).await;
        stage.kabar.kill().await?;
        writing.await??;
        stage.kabar.start_again().await?;
    }
    write(stage.network.clone(), KILLS).await?;

    let document = "{ messages(first: 1, where: { direction: IN }) { totalCount } }";
    within(Duration::from_mins(2), "every text is stored", || async {
        let data = stage.client.query(document, json!({})).await?;
        Ok((data["messages"]["totalCount"].as_u64() >= Some(TOTAL as u64)).then_some(()))
    })
    .await
    .with_context(|| format!("seed {seed}"))?;
    stored_once(&stage).await.with_context(|| format!("seed {seed}"))?;
    told_once(&stage).await.with_context(|| format!("seed {seed}"))
}

/// Every phone writes some texts to every device.
async fn write(network: Network, round: usize) -> Result<()> {
    for text in 0..TEXTS_PER_ROUND {
        for phone in 0..PHONES {
            for device in DEVICES {
                let to = Target::Phone(device.to_owned());
                let body = format!("{phone} to {device}: {round}-{text}");
                network.send_text(&number(phone), to, &body).await?;
            }
        }
    }
    Ok(())
}

async fn stored_once(stage: &Stage) -> Result<()> {
    let document = "query($after: String) { messages(first: 100, after: $after, where: { direction: IN }) {
        pageInfo { hasNextPage endCursor } nodes { content { ... on TextContent { body } } } } }";
    let nodes = pages(stage, document, "messages").await?;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for node in &nodes {
        let body = node["content"]["body"].as_str().unwrap_or_default();
        *times.entry(body.to_owned()).or_default() += 1;
    }
    ensure!(nodes.len() == TOTAL, "{} are stored instead of {TOTAL}", nodes.len());
    let doubled: Vec<_> = times.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(times.len() == TOTAL, "some are stored twice: {doubled:?}");
    Ok(())
}

async fn told_once(stage: &Stage) -> Result<()> {
    let document = "query($after: Cursor) { events(first: 100, after: $after, types: [MESSAGE_RECEIVED]) {
        pageInfo { hasNextPage endCursor } nodes { ... on MessageReceivedEvent { message { id } } } } }";
    let mut told: Vec<String> = pages(stage, document, "events")
        .await?
        .iter()
        .filter_map(|event| event["message"]["id"].as_str().map(str::to_owned))
        .collect();
    ensure!(told.len() == TOTAL, "{} were told instead of {TOTAL}", told.len());
    told.sort_unstable();
    told.dedup();
    ensure!(told.len() == TOTAL, "some were told twice");
    let document = "query($after: String) { chats(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { unreadCount } } }";
    let chats = pages(stage, document, "chats").await?;
    let unread: u64 = chats.iter().filter_map(|chat| chat["unreadCount"].as_u64()).sum();
    ensure!(unread == TOTAL as u64, "{unread} are unread instead of {TOTAL}");
    Ok(())
}

/// Every node of a connection.
async fn pages(stage: &Stage, document: &str, field: &str) -> Result<Vec<Value>> {
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = stage.client.query(document, json!({ "after": after })).await?;
        let page = &data[field];
        nodes.extend(page["nodes"].as_array().cloned().unwrap_or_default());
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(nodes);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
