//! kill -9 at random moments: nothing is lost and nothing doubled.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use sandbox::Behavior;
use serde_json::{Value, json};
use tests::{Client, SEND, Stage, StageOptions, TestDatabase, rows, text_input, within};

const PHONES: usize = 50;
const TEXTS_PER_PHONE: usize = 20;
const KILLS: usize = 10;
const WRITERS: usize = 4;
/// Receipts of the last milliseconds before a kill.
const SWALLOWED_PER_KILL: usize = 8;

tests::on_both_databases!(every_phone_sees_every_message_exactly_once_over_ten_kills);

fn number(phone: usize) -> String {
    format!("+62813000{phone:05}")
}

fn text(phone: usize, index: usize) -> String {
    format!("phone {phone} text {index}")
}

async fn every_phone_sees_every_message_exactly_once_over_ten_kills(database: TestDatabase) -> Result<()> {
    // A little pacing, so that a debug build on a fast day is still sending when the tenth kill comes.
    let environment = vec![
        ("KABAR_SENDING_GAP_MS", "2".to_owned()),
        ("KABAR_LOG", "info".to_owned()),
    ];
    let mut stage = Stage::with(
        database,
        StageOptions {
            environment,
            ..StageOptions::default()
        },
    )
    .await?;
    let device = stage.linked_device("+6281200000001").await?;
    for phone in 0..PHONES {
        stage.phone_that(&number(phone), Behavior::default())?;
    }
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);

    let accepted = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(write(
                stage.client.clone(),
                device.id.clone(),
                writer,
                Arc::clone(&accepted),
            ))
        })
        .collect();
    let total = PHONES * TEXTS_PER_PHONE;
    for kill in 0..KILLS {
        // Spread over the whole run by what arrived, then at any moment of the pipeline.
        let progress = kill * total / (KILLS + 1) + random.random_range(0..total / (KILLS + 2));
        within(
            Duration::from_mins(2),
            "enough texts arrived for the next kill",
            || async { Ok((arrived(&stage) >= progress).then_some(())) },
        )
        .await?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..60))).await;
        stage.kabar.kill().await?;
        stage.kabar.start_again().await?;
    }
    for writer in writers {
        writer.await??;
    }
    ensure!(accepted.load(Ordering::Relaxed) == total);

    let all = within(Duration::from_mins(2), "every text arrived", || async {
        Ok((arrived(&stage) >= total).then_some(()))
    });
    if let Err(error) = all.await {
        return Err(error.context(state_of(&stage, &device.id).await?));
    }
    // The client library acknowledges a receipt before we have stored it, so that a kill in between swallows it: such a
    // message stays SENT, which is true. Everything else must be known to be delivered.
    let known = within(Duration::from_mins(1), "Kabar knows what was delivered", || async {
        let document = "query($status: [MessageStatus!]) {
            messages(first: 1, where: { direction: OUT, status: $status }) { totalCount } }";
        let delivered = stage
            .client
            .query(document, json!({ "status": ["DELIVERED", "READ"] }))
            .await?;
        let sent = stage.client.query(document, json!({ "status": ["SENT"] })).await?;
        let (delivered, sent) = (count_of(&delivered), count_of(&sent));
        Ok((delivered + sent == total && sent <= KILLS * SWALLOWED_PER_KILL).then_some(()))
    });
    if let Err(error) = known.await {
        return Err(error.context(state_of(&stage, &device.id).await?));
    }
    for phone in 0..PHONES {
        exactly_once(&stage, phone).with_context(|| format!("seed {seed}"))?;
    }
    let faults = rows::faults_of_queue(&stage.database).await?;
    ensure!(faults.is_empty(), "the queue is wrong: {faults:?}, seed {seed}");
    Ok(())
}

fn count_of(data: &Value) -> usize {
    data["messages"]["totalCount"]
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or_default()
}

/// What a person wants to know when texts are stuck.
async fn state_of(stage: &Stage, device: &str) -> Result<String> {
    let mut told = format!("{} arrived; device {}", arrived(stage), stage.device(device).await?);
    for status in ["QUEUED", "SENDING", "SENT", "DELIVERED", "FAILED"] {
        let document =
            "query($status: [MessageStatus!]) { messages(first: 3, where: { direction: OUT, status: $status }) {
            totalCount nodes { id whatsappId attempts createdAt error { code message } } } }";
        let data = stage.client.query(document, json!({ "status": [status] })).await?;
        write!(told, "; {status} {}", data["messages"])?;
    }
    Ok(told)
}

fn arrived(stage: &Stage) -> usize {
    (0..PHONES)
        .map(|phone| stage.network.received_count(&number(phone)))
        .sum()
}

/// Asks for every text until it is accepted, as a careful client does: with an idempotency key, again after a failure.
async fn write(client: Client, device: String, writer: usize, accepted: Arc<AtomicUsize>) -> Result<()> {
    for index in 0..TEXTS_PER_PHONE {
        for phone in (writer..PHONES).step_by(WRITERS) {
            let mut input = text_input(&device, &number(phone), &text(phone, index));
            input["idempotencyKey"] = json!(format!("{phone}-{index}"));
            within(Duration::from_mins(2), "the text is accepted", || async {
                match client.send(SEND, json!({ "input": input })).await {
                    Ok(response) if response.errors.is_empty() => {
                        let payload = &response.data["sendMessage"];
                        match payload["userErrors"].as_array().map(Vec::as_slice) {
                            Some([]) | None => Ok(Some(())),
                            Some(errors) => bail!("refused: {errors:?}"),
                        }
                    }
                    // The server is down, or was killed before it answered.
                    _ => Ok(None),
                }
            })
            .await?;
            accepted.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn exactly_once(stage: &Stage, phone: usize) -> Result<()> {
    let ledger = stage.network.received(&number(phone), None, 10 * TEXTS_PER_PHONE)?;
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &ledger {
        *times.entry(row.text.as_deref().unwrap_or_default()).or_default() += 1;
    }
    for index in 0..TEXTS_PER_PHONE {
        let text = text(phone, index);
        let count = times.remove(text.as_str()).unwrap_or_default();
        ensure!(count == 1, "{text:?} reached the phone {count} times");
    }
    ensure!(times.is_empty(), "the phone got what nobody sent: {times:?}");
    Ok(())
}
