//! `cargo xtask test`: installs what the tests need, then proves everything, cheapest first.
//!
//! All steps share one target directory, one profile and one selection of packages (`--workspace`), so that cargo
//! resolves the same features every time and compiles nothing twice.

mod count;
mod needs;
mod node;
mod steps;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::terminal::{self, Step};
use crate::workspace::Workspace;
use count::Count;
pub use needs::{Need, install};
pub use node::path as path_with_node;
pub use steps::prove_live_verifies;

#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a person types")]
pub struct Options {
    /// The parts to run; all of them when none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Only tests whose name contains this (Rust tests).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Leave the browser journey out.
    #[arg(long)]
    no_browser: bool,
    /// Leave the foreign WhatsApp clients and GraphQL audits out.
    #[arg(long)]
    no_interop: bool,
    /// Install nothing; fail when something is missing.
    #[arg(long)]
    no_install: bool,
    /// Go on after a failed step.
    #[arg(long)]
    keep_going: bool,
}

/// What can be run by name, in the order in which all of it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Formatting.
    Fmt,
    /// House rules.
    Tidy,
    /// The schema file against the server's code.
    Schema,
    /// Tests inside the crates.
    Unit,
    /// The API in process, on both databases.
    Api,
    /// The sandbox network with bare clients, then the server as a process against it, on both databases.
    E2e,
    /// Clippy, for the server and for the browser.
    Clippy,
    /// The console in Chromium.
    Browser,
    /// Baileys and other peers that nobody here wrote.
    Interop,
    /// The console, built small, against its budget.
    Size,
    /// Documentation without warnings.
    Docs,
    /// The build for the real WhatsApp compiles, and verifies certificates.
    Live,
}

impl Part {
    pub fn title(self) -> &'static str {
        match self {
            Self::Fmt => "Formatting",
            Self::Tidy => "House rules",
            Self::Schema => "Schema file",
            Self::Unit => "Unit tests",
            Self::Api => "API tests, on SQLite and Postgres",
            Self::E2e => "End to end, on SQLite and Postgres",
            Self::Clippy => "Clippy",
            Self::Browser => "Console in Chromium",
            Self::Interop => "Foreign clients",
            Self::Size => "Console within its budget",
            Self::Docs => "Documentation",
            Self::Live => "Build for the real WhatsApp",
        }
    }

    /// Whether it needs the server and the test binaries built.
    pub fn needs_build(self) -> bool {
        matches!(
            self,
            Self::Schema | Self::Unit | Self::Api | Self::E2e | Self::Browser | Self::Interop
        )
    }
}

/// How one step went, for the summary.
struct Outcome {
    title: &'static str,
    time: std::time::Duration,
    count: Count,
    failed: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let parts = selected(options);
    let started = Instant::now();
    let mut outcomes = Vec::new();

    let mut plan: Vec<steps::Planned> = Vec::new();
    plan.extend(
        parts
            .iter()
            .filter(|part| !part.needs_build() && matches!(part, Part::Fmt | Part::Tidy))
            .map(|part| steps::Planned::Part(*part)),
    );
    if !needs::of(&parts).is_empty() {
        plan.push(steps::Planned::Install);
    }
    if parts.iter().any(|part| part.needs_build()) {
        plan.push(steps::Planned::Build);
    }
    plan.extend(
        parts
            .iter()
            .filter(|part| !matches!(part, Part::Fmt | Part::Tidy))
            .map(|part| steps::Planned::Part(*part)),
    );

    let of = plan.len();
    for (index, planned) in plan.iter().enumerate() {
        let title = planned.title();
        let step = Step::begin(index + 1, of, title);
        let mut count = Count::default();
        let result = planned.run(&workspace, options, &parts, &mut count);
        let failed = result.is_err() || count.failed > 0;
        match result {
            Ok(()) => step.done(&count.shown().unwrap_or_else(|| "no complaint".to_owned())),
            Err(error) => terminal::failed(&format!("{title}: {error:#}")),
        }
        if failed {
            count.failed = count.failed.max(1);
        } else if count.passed == 0 && planned.is_check() {
            count.passed = 1;
        }
        outcomes.push(Outcome {
            title,
            time: step.elapsed(),
            count,
            failed,
        });
        if failed && !options.keep_going {
            break;
        }
    }
    summary(&outcomes, plan.len(), started.elapsed())
}

fn selected(options: &Options) -> Vec<Part> {
    let all = Part::value_variants().iter().copied();
    all.filter(|part| options.parts.is_empty() || options.parts.contains(part))
        .filter(|part| !(options.no_browser && *part == Part::Browser))
        .filter(|part| !(options.no_interop && *part == Part::Interop))
        .collect()
}

fn summary(outcomes: &[Outcome], planned: usize, time: std::time::Duration) -> Result<()> {
    println!();
    let mut total = Count::default();
    for outcome in outcomes {
        let mark = if outcome.failed { "✗" } else { "✓" };
        let counted = outcome.count.shown().unwrap_or_default();
        println!(
            "{mark} {:<36} {:>12}  {counted}",
            outcome.title,
            terminal::duration(outcome.time)
        );
        total.add(outcome.count);
    }
    if outcomes.len() < planned {
        println!("- {} steps were not reached", planned - outcomes.len());
    }
    println!("  {:<36} {:>12}", "all", terminal::duration(time));
    println!();
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("not everything passed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::{Options, Part, selected};

    fn options(parts: Vec<Part>) -> Options {
        Options {
            parts,
            filter: None,
            no_browser: false,
            no_interop: false,
            no_install: false,
            keep_going: false,
        }
    }

    #[test]
    fn everything_runs_when_nothing_is_named() {
        assert_eq!(selected(&options(vec![])), Part::value_variants());
        assert!(
            !selected(&Options {
                no_browser: true,
                ..options(vec![])
            })
            .contains(&Part::Browser)
        );
    }

    #[test]
    fn named_parts_run_in_the_usual_order() {
        assert_eq!(selected(&options(vec![Part::E2e, Part::Fmt])), [Part::Fmt, Part::E2e]);
    }
}
