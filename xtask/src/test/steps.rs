//! What each part of `cargo xtask test` runs.

use anyhow::{Context, Result, bail};

use super::count::Count;
use super::{Options, Part, needs, node};
use crate::command::{self, Command};
use crate::workspace::Workspace;
use crate::{console, schema, settle, terminal, tidy};

/// One line of the plan.
#[derive(Clone, Copy, Debug)]
pub enum Planned {
    Install,
    Build,
    Part(Part),
}

impl Planned {
    pub fn title(self) -> &'static str {
        match self {
            Self::Install => "What the tests need",
            Self::Build => "Build everything",
            Self::Part(part) => part.title(),
        }
    }

    /// Whether its success counts as one passed test.
    pub fn is_check(self) -> bool {
        matches!(self, Self::Part(_))
    }

    pub fn run(self, workspace: &Workspace, options: &Options, parts: &[Part], count: &mut Count) -> Result<()> {
        match self {
            Self::Install => needs::install(workspace, &needs::of(parts), !options.no_install),
            Self::Build => build(workspace, parts),
            Self::Part(part) => run(part, workspace, options, count),
        }
    }
}

fn run(part: Part, workspace: &Workspace, options: &Options, count: &mut Count) -> Result<()> {
    match part {
        Part::Fmt => command::cargo(&workspace.root).args(["fmt", "--all", "--check"]).run(),
        Part::Tidy => tidy::check(workspace),
        Part::Schema => schema::check_built(workspace),
        Part::Unit => {
            tests(workspace, options, count, &["--lib", "--bins"])?;
            // Documentation examples are few; building them reuses everything.
            tests(workspace, options, count, &["--doc"])
        }
        Part::Api => tests(workspace, options, count, &["--test", "api"]),
        Part::E2e => tests(workspace, options, count, &["--test", "network", "--test", "e2e"]),
        Part::Browser => {
            let folder = console::build(workspace, false, 1, 1)?;
            let command = cargo_test(workspace, options, &["--test", "browser"]).env("KABAR_TEST_CONSOLE", folder);
            watch(command.env("PATH", node::path(workspace)), count)
        }
        Part::Interop => {
            let command = cargo_test(workspace, options, &["--test", "interop"]);
            watch(command.env("PATH", node::path(workspace)), count)
        }
        Part::Clippy => clippy(workspace),
        Part::Size => console::check_size(workspace),
        Part::Docs => command::cargo(&workspace.root)
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"])
            .run(),
        Part::Live => live(workspace),
    }
}

/// Builds the server and the test binaries in one go, with the features that the test steps use.
fn build(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    if !workspace.target.join("debug/deps").is_dir() {
        terminal::note("The first build compiles about 550 libraries: 5 to 8 minutes on two cores.");
    }
    let mut cargo = command::cargo(&workspace.root).args(["build", "--workspace", "--all-targets"]);
    for (part, name) in [(Part::Browser, "browser"), (Part::Interop, "interop")] {
        if parts.contains(&part) {
            cargo = cargo.args(["--test", name]);
        }
    }
    cargo.run()?;
    settle::settle(workspace, "debug");
    Ok(())
}

fn cargo_test(workspace: &Workspace, options: &Options, targets: &[&str]) -> Command {
    let mut cargo = command::cargo(&workspace.root)
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(targets);
    if let Some(filter) = &options.filter {
        cargo = cargo.args(["--", filter]);
    }
    cargo.env("KABAR_BIN", workspace.binary("debug", "kabar"))
}

fn tests(workspace: &Workspace, options: &Options, count: &mut Count, targets: &[&str]) -> Result<()> {
    watch(cargo_test(workspace, options, targets), count)
}

fn watch(command: Command, count: &mut Count) -> Result<()> {
    command.watch(|line| {
        count.see(line);
        println!("{line}");
    })
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let deny = ["--", "-D", "warnings"];
    command::cargo(&workspace.root)
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--test",
            "browser",
            "--test",
            "interop",
        ])
        .args(deny)
        .run()?;
    console::clippy(workspace)
}

/// The live build must compile, and must not contain the feature that accepts any certificate.
fn live(workspace: &Workspace) -> Result<()> {
    prove_live_verifies(workspace)?;
    command::cargo(&workspace.root)
        .args(["check", "-p", "api", "--no-default-features"])
        .run()
}

const ACCEPTS_ANY_CERTIFICATE: &str = "danger-skip";

/// **Invariant:** a build without the `sandbox` feature verifies every certificate.
pub fn prove_live_verifies(workspace: &Workspace) -> Result<()> {
    let tree = |arguments: &[&str]| {
        command::cargo(&workspace.root)
            .args([
                "tree",
                "-p",
                "api",
                "-e",
                "no-dev",
                "--prefix",
                "none",
                "--format",
                "{p} [{f}]",
            ])
            .args(arguments)
            .capture()
            .context("cargo tree failed")
    };
    let live = tree(&["--no-default-features"])?;
    if let Some(line) = live.lines().find(|line| line.contains(ACCEPTS_ANY_CERTIFICATE)) {
        bail!("the live build accepts any certificate: it has `{line}`");
    }
    if let Some(line) = live.lines().find(|line| line.starts_with("sandbox v")) {
        bail!("the live build contains the sandbox: `{line}`");
    }
    // The same question must have the other answer for the usual build, or it proves nothing.
    if !tree(&[])?.contains(ACCEPTS_ANY_CERTIFICATE) {
        bail!("the usual build lacks `{ACCEPTS_ANY_CERTIFICATE}…` too: this proof no longer proves anything");
    }
    Ok(())
}
