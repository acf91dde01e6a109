//! An export of many messages takes little memory.

use std::io::{BufRead, BufReader, Cursor};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::{Stage, TestDatabase, rows};

tests::on_both_databases!(a_hundred_thousand_messages_are_exported_in_little_memory);

const MESSAGES: u32 = 100_000;
/// The rows alone are several times as much.
const MOST: u64 = 48 * 1024 * 1024;

async fn a_hundred_thousand_messages_are_exported_in_little_memory(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let tenant = stage.client.query("{ tenant { id } }", json!({})).await?;
    let tenant = tenant["tenant"]["id"].as_str().context("no tenant")?.to_owned();
    let device = stage.create_device("Device").await?;
    rows::conversation(&stage.database, &tenant, &device, MESSAGES).await?;
    let before = stage.kabar.usage()?.resident_bytes;
    let download = stage.client.get("/exports/tenant.zip");
    tokio::pin!(download);
    let mut most = before;
    let (status, archive) = loop {
        tokio::select! {
            done = &mut download => break done?,
            () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {
                most = most.max(stage.kabar.usage()?.resident_bytes);
            }
        }
    };
    ensure!(status == 200, "{status}");
    let grown = most - before;
    println!(
        "{} bytes of archive, {} MiB more memory",
        archive.len(),
        grown / 1024 / 1024
    );
    let mut archive = zip::ZipArchive::new(Cursor::new(&archive))?;
    let lines = BufReader::new(archive.by_name("message.ndjson")?).lines().count();
    ensure!(lines == MESSAGES as usize, "{lines} messages");
    ensure!(grown < MOST, "it took {grown} bytes more");
    Ok(())
}
