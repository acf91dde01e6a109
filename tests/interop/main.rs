//! Peers that nobody here wrote: WhatsApp clients and GraphQL clients from the npm registry.
//!
//! Each script proves one peer and prints what it did; it runs against a stage of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tests::{Kind, Stage, TestDatabase, run_on};
use tokio::process::Command;

const DEVICE: &str = "+6281200000001";
const PEER: &str = "+6281200000002";
const THIRD: &str = "+6281200000003";

#[test]
fn baileys_7_talks_with_a_device() -> Result<()> {
    run_on(Kind::Sqlite, |database| script(database, &["baileys.mjs", "baileys"]))
}

#[test]
fn baileys_6_talks_with_a_device() -> Result<()> {
    run_on(Kind::Sqlite, |database| script(database, &["baileys.mjs", "baileys6"]))
}

#[test]
fn the_graphql_ws_client_resumes() -> Result<()> {
    run_on(Kind::Sqlite, |database| script(database, &["graphql-ws.mjs"]))
}

#[test]
fn the_graphql_http_audits_hold() -> Result<()> {
    run_on(Kind::Sqlite, |database| script(database, &["graphql-http.mjs"]))
}

async fn script(database: TestDatabase, arguments: &'static [&'static str]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
    ensure!(
        folder.join("../node_modules").is_dir(),
        "run `cargo xtask test interop`, which installs the npm packages"
    );
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(DEVICE).await?;
    stage.phone(PEER)?;
    stage.phone(THIRD)?;
    let mut node = Command::new("node");
    node.args(arguments).current_dir(&folder).kill_on_drop(true);
    node.env("KABAR_BASE", stage.kabar.base())
        .env("KABAR_TOKEN", stage.client.token().context("no token")?);
    node.env("NETWORK_URL", stage.network.url());
    node.env("NETWORK_CONTROL", format!("http://{}", stage.network.address()));
    node.env("DEVICE_ID", &device.id)
        .env("DEVICE_NUMBER", DEVICE)
        .env("PEER_NUMBER", PEER)
        .env("THIRD_NUMBER", THIRD);
    let output = tokio::time::timeout(Duration::from_mins(3), node.output())
        .await
        .context("it takes too long")??;
    let (told, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{told}");
    if !output.status.success() {
        bail!("{} failed ({}):\n{told}{complained}", arguments[0], output.status);
    }
    Ok(())
}
