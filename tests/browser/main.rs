//! The console in Chromium, against a server with its own sandbox network. Screenshots are kept in the target folder.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tests::{EMAIL, Kabar, Kind, PASSWORD, Place, run_on};
use tokio::process::Command;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[test]
fn a_person_links_an_account_writes_and_hears_the_answer() -> Result<()> {
    run_on(Kind::Sqlite, |database| async move {
        let console = std::env::var("KABAR_TEST_CONSOLE").ok();
        let console = console.context("there is no console: run `cargo xtask test browser`, which builds it")?;
        let data = tempfile::tempdir()?;
        let environment = [
            ("KABAR_LISTEN", "127.0.0.1:0".to_owned()),
            ("KABAR_DATA_DIR", data.path().display().to_string()),
            ("KABAR_DATABASE_URL", database.url()),
            ("KABAR_OPERATOR_EMAIL", EMAIL.to_owned()),
            ("KABAR_OPERATOR_PASSWORD", PASSWORD.to_owned()),
            ("KABAR_WEB_DIR", console),
            // The journey has a website of its own.
            ("KABAR_FETCHING_ALLOWED_NETWORKS", "127.0.0.1".to_owned()),
            ("KABAR_FETCHING_TIMEOUT_MS", "30000".to_owned()),
        ];
        let kabar = Kabar::start(environment.map(|(name, value)| (name.to_owned(), value)).into()).await?;
        journey(&kabar).await
    })
}

async fn journey(kabar: &Kabar) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    ensure!(
        folder.join("../node_modules").is_dir(),
        "run `cargo xtask test browser`, which installs the npm packages"
    );
    let screenshots = Place::find()?.keep("browser")?;
    let mut node = Command::new("node");
    node.arg("journey.mjs").current_dir(&folder).kill_on_drop(true);
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
