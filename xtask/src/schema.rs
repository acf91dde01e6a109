//! `cargo xtask schema`: api/schema.graphql is what the server's code says, printed and checked in.
//!
//! The console compiles against that file, and reviewers read the API's changes in its diff.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::workspace::Workspace;

const FILE: &str = "api/schema.graphql";

#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Options {
    /// Compare instead of writing; fails when they differ.
    #[arg(long)]
    check: bool,
}

pub fn run(options: Options) -> Result<()> {
    let workspace = Workspace::find()?;
    command::cargo(&workspace.root)
        .args(["build", "-q", "-p", "api", "--bin", "kabar"])
        .run()?;
    let printed = print(&workspace)?;
    if options.check {
        return check(&workspace, &printed);
    }
    fs::write(workspace.path(FILE), printed).with_context(|| format!("cannot write {FILE}"))?;
    eprintln!("{FILE} is up to date.");
    Ok(())
}

/// Compares with a server that is built already.
pub fn check_built(workspace: &Workspace) -> Result<()> {
    let printed = print(workspace)?;
    check(workspace, &printed)
}

fn print(workspace: &Workspace) -> Result<String> {
    command::Command::new(workspace.binary("debug", "kabar"), &workspace.root)
        .arg("schema")
        .capture()
}

fn check(workspace: &Workspace, printed: &str) -> Result<()> {
    let kept = fs::read_to_string(workspace.path(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    if kept == printed {
        return Ok(());
    }
    let place = kept
        .lines()
        .zip(printed.lines())
        .position(|(kept, printed)| kept != printed);
    let line = place.map_or_else(
        || kept.lines().count().min(printed.lines().count()) + 1,
        |index| index + 1,
    );
    bail!("{FILE} differs from the server's code from line {line} on: run `cargo xtask schema` and commit the result")
}
