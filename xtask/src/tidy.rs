//! `cargo xtask tidy`: the house rules that no compiler knows.
//!
//! Each rule is one file that turns source files into findings; errors fail, warnings are shown.

mod floors;
mod migrations;
mod shape;
mod source;
mod words;

use anyhow::{Result, bail};

use crate::terminal;
use crate::test::prove_live_verifies;
use crate::workspace::Workspace;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Take today's migrations as the new beginning of the append-only list.
    #[arg(long)]
    accept_migrations: bool,
}

/// Something a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Error(String),
    Warning(String),
}

pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    if options.accept_migrations {
        return migrations::accept(&workspace);
    }
    check(&workspace)?;
    eprintln!("Tidy.");
    Ok(())
}

pub fn check(workspace: &Workspace) -> Result<()> {
    let sources = source::collect(&workspace.root)?;
    let mut findings = floors::check(&sources);
    findings.extend(shape::check(&sources));
    findings.extend(words::check(&sources));
    findings.extend(migrations::check(workspace)?);
    prove_live_verifies(workspace)?;

    let mut errors = 0;
    for finding in &findings {
        match finding {
            Finding::Error(text) => {
                errors += 1;
                terminal::failed(text);
            }
            Finding::Warning(text) => terminal::warn(text),
        }
    }
    if errors > 0 {
        bail!("{errors} house rules are broken");
    }
    Ok(())
}

/// Builds a source for a rule's own tests.
#[cfg(test)]
fn example(path: &str, text: &str) -> source::Source {
    source::Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
