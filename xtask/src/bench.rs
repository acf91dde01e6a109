//! `cargo xtask bench`: Kabar beside the bare client library and Baileys, in one run, as one table.
//!
//! Builds everything optimised and starts the benchmark, which is part of the tests: see tests/src/bin/bench.

use anyhow::Result;

use crate::command::{self, Command};
use crate::settle;
use crate::terminal::{self, Step};
use crate::test::{Need, install, path_with_node};
use crate::workspace::Workspace;

const REPORT: &str = "docs/benchmarks.md";
/// Cargo puts what its `bench` profile builds here.
const FOLDER: &str = "release";

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Only these: bare, baileys, kabar-sqlite, kabar-postgres. The table then goes to the terminal only.
    contestants: Vec<String>,
    /// A trial with small numbers, to the terminal only.
    #[arg(long)]
    quick: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let step = Step::begin(1, 3, "What the benchmark needs");
    install(&workspace, &[Need::Postgres, Need::Node], true)?;
    step.done("there");

    let step = Step::begin(2, 3, "Optimised build");
    if !workspace.target.join(FOLDER).join("deps").is_dir() {
        terminal::note("The first build optimises about 550 libraries: 10 to 15 minutes on two cores.");
    }
    let programs = ["kabar", "kabar-sandbox", "bare-client", "bench"];
    let bins = programs.iter().flat_map(|program| ["--bin", program]);
    command::cargo(&workspace.root)
        .args(["build", "--workspace", "--profile", "bench"])
        .args(bins)
        .run()?;
    settle::settle(&workspace, FOLDER);
    step.done("built");

    let step = Step::begin(3, 3, "Measurements, about ten minutes");
    let partial = options.quick || !options.contestants.is_empty();
    let report = if partial {
        workspace.target.join("benchmarks-trial.md")
    } else {
        workspace.path(REPORT)
    };
    let folder = workspace.target.join(FOLDER);
    let mut bench = Command::new(folder.join("bench"), &workspace.root)
        .arg(&folder)
        .arg(&report)
        .env("PATH", path_with_node(&workspace));
    if options.quick {
        bench = bench.arg("quick");
    }
    bench.args(&options.contestants).run()?;
    step.done(&format!("written to {}", report.display()));
    Ok(())
}
