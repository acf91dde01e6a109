//! The console in Chromium, against a server with its own sandbox network. Screenshots are kept in the target folder.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tests::{Client, EMAIL, Kabar, Kind, PASSWORD, Place, TestDatabase, crowd, eventually, run_on};
use tokio::process::Command;
use tokio::sync::Mutex;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// One browser at a time: both would only wait for each other.
static BROWSER: Mutex<()> = Mutex::const_new(());

#[test]
fn a_person_links_an_account_writes_and_hears_the_answer() -> Result<()> {
    run_on(Kind::Sqlite, |database| async move {
        let _alone = BROWSER.lock().await;
        let data = tempfile::tempdir()?;
        let kabar = serve(&database, data.path()).await?;
        journey(&kabar, "journey.mjs", "browser").await
    })
}

#[test]
fn lists_of_thousands_scroll_to_their_end_and_draw_only_what_is_in_sight() -> Result<()> {
    run_on(Kind::Sqlite, |database| async move {
        let _alone = BROWSER.lock().await;
        let data = tempfile::tempdir()?;
        let kabar = serve(&database, data.path()).await?;
        let (client, _) = Client::new(kabar.base()).login(EMAIL, PASSWORD).await?;
        let viewer = client.query("{ viewer { tenant { id } } }", json!({})).await?;
        let tenant = viewer["viewer"]["tenant"]["id"].as_str().context("no tenant")?;
        let device = linked_device(&client).await?;
        crowd(&database, tenant, &device, 3_000).await?;
        phones(&client).await?;
        journey(&kabar, "long_lists.mjs", "browser-long-lists").await
    })
}

/// The first device of the crowd, on the network.
async fn linked_device(client: &Client) -> Result<String> {
    let document = "mutation { createDevice(input: { name: \"Device 00001\" }) { device { id } userErrors { code } } }";
    let created = client.mutate(document, json!({}), "createDevice").await?;
    let id = created["device"]["id"].as_str().context("no device")?.to_owned();
    let connect = "mutation($id: ID!) { connectDevice(id: $id) { userErrors { code } } }";
    client.mutate(connect, json!({ "id": id }), "connectDevice").await?;
    let scan = "mutation($id: ID!) {
        sandboxScanQr(input: { deviceId: $id, phone: \"+6281100000001\" }) { userErrors { code } } }";
    eventually("the device's code is scanned", async || {
        let answer = client.query(scan, json!({ "id": id })).await?;
        let errors = answer["sandboxScanQr"]["userErrors"].as_array();
        Ok(errors.is_some_and(Vec::is_empty).then_some(()))
    })
    .await?;
    Ok(id)
}

/// More phones than are drawn at once. The last one is that of the chat on top, and another one wrote to it.
async fn phones(client: &Client) -> Result<()> {
    let document = "mutation($number: String!, $name: String!) {
        sandboxCreatePhone(input: { number: $number, name: $name }) { userErrors { code } } }";
    for number in (1..=300).map(|number| number * 10) {
        let phone = json!({ "number": format!("+62812{number:08}"), "name": format!("Chat {number:05}") });
        client.mutate(document, phone, "sandboxCreatePhone").await?;
    }
    for number in 1..=250 {
        let send = "mutation($input: SandboxSendInput!) { sandboxSend(input: $input) { userErrors { code } } }";
        let to = json!({ "phone": "+6281200003000" });
        let input = json!({ "from": "+6281200000010", "to": to, "text": format!("Text {number:05}") });
        client.mutate(send, json!({ "input": input }), "sandboxSend").await?;
    }
    Ok(())
}

async fn serve(database: &TestDatabase, data_dir: &Path) -> Result<Kabar> {
    let console = std::env::var("KABAR_TEST_CONSOLE").ok();
    let console = console.context("there is no console: run `cargo xtask test browser`, which builds it")?;
    let environment = [
        ("KABAR_LISTEN", "127.0.0.1:0".to_owned()),
        ("KABAR_DATA_DIR", data_dir.display().to_string()),
        ("KABAR_DATABASE_URL", database.url()),
        ("KABAR_OPERATOR_EMAIL", EMAIL.to_owned()),
        ("KABAR_OPERATOR_PASSWORD", PASSWORD.to_owned()),
        ("KABAR_WEB_DIR", console),
        // The journey has a website of its own.
        ("KABAR_FETCHING_ALLOWED_NETWORKS", "127.0.0.1".to_owned()),
        ("KABAR_FETCHING_TIMEOUT_MS", "30000".to_owned()),
    ];
    Kabar::start(environment.map(|(name, value)| (name.to_owned(), value)).into()).await
}

async fn journey(kabar: &Kabar, script: &str, pictures: &str) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    ensure!(
        folder.join("../node_modules").is_dir(),
        "run `cargo xtask test browser`, which installs the npm packages"
    );
    let screenshots = Place::find()?.keep(pictures)?;
    let mut node = Command::new("node");
    node.arg(script).current_dir(&folder).kill_on_drop(true);
    node.env("KABAR_BASE", kabar.base())
        .env("EMAIL", EMAIL)
        .env("PASSWORD", PASSWORD);
    node.env("SCREENSHOTS", &screenshots).env("CHROMIUM", browser()?);
    let output = tokio::time::timeout(Duration::from_mins(10), node.output())
        .await
        .context("it takes too long")??;
    println!(
        "{}\nscreenshots: {}",
        String::from_utf8_lossy(&output.stdout),
        screenshots.display()
    );
    if !output.status.success() {
        bail!("the journey failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn browser() -> Result<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
        .find(|program| program.is_file())
        .context("there is no Chromium: run `cargo xtask test browser`, which installs it")
}
