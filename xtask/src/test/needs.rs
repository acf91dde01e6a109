//! What the tests need besides a Rust toolchain, and how it gets onto the machine.

use anyhow::{Result, bail};

use super::{Part, node};
use crate::command::{self, Command};
use crate::terminal;
use crate::workspace::Workspace;

/// Where Debian puts the server's programs, which are not in PATH.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// Something that must be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Postgres,
    Chromium,
    Node,
}

impl Need {
    fn present(self) -> bool {
        match self {
            Self::Postgres => command::find_program("postgres").is_some() || debian_postgres(),
            Self::Chromium => ["chromium", "chromium-browser", "google-chrome"]
                .iter()
                .any(|name| command::find_program(name).is_some()),
            Self::Node => node::present(),
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Chromium => &["chromium"],
            Self::Node => &["nodejs", "npm"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL's server (15 or newer)",
            Self::Chromium => "Chromium",
            Self::Node => "Node.js with npm",
        }
    }
}

/// What these parts need.
pub fn of(parts: &[Part]) -> Vec<Need> {
    let any = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
    let mut needs = Vec::new();
    if any(&[Part::Api, Part::E2e]) {
        needs.push(Need::Postgres);
    }
    if any(&[Part::Browser]) {
        needs.push(Need::Chromium);
    }
    if any(&[Part::Browser, Part::Interop]) {
        needs.push(Need::Node);
    }
    needs
}

/// Installs what is missing, with apt when that is possible, or says what to install.
pub fn install(workspace: &Workspace, needs: &[Need], may_install: bool) -> Result<()> {
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.present()).collect();
    if !missing.is_empty() {
        let names = missing.iter().map(|need| need.name()).collect::<Vec<_>>().join(", ");
        let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages()).copied().collect();
        let is_root = Command::new("id", &workspace.root)
            .arg("-u")
            .capture()
            .is_ok_and(|id| id.trim() == "0");
        if !may_install || !is_root || command::find_program("apt-get").is_none() {
            bail!(
                "the tests need {names}. On Debian: sudo apt-get install {}",
                packages.join(" ")
            );
        }
        terminal::note(&format!("installing {names}"));
        apt(workspace, &["update", "-qq"])?;
        apt(
            workspace,
            &[
                &["install", "-y", "-qq", "--no-install-recommends"],
                packages.as_slice(),
            ]
            .concat(),
        )?;
        if let Some(need) = missing.iter().find(|need| !need.present()) {
            bail!(
                "{} is still missing after installing {}",
                need.name(),
                packages.join(" ")
            );
        }
    }
    if needs.contains(&Need::Node) {
        node::install(workspace, may_install)?;
    }
    Ok(())
}

fn apt(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    Command::new("apt-get", &workspace.root)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(arguments)
        .run()
}

fn debian_postgres() -> bool {
    let Ok(versions) = std::fs::read_dir(DEBIAN_POSTGRES) else {
        return false;
    };
    versions
        .flatten()
        .any(|version| version.path().join("bin/postgres").is_file())
}

#[cfg(test)]
mod tests {
    use super::{Need, of};
    use crate::test::Part;

    #[test]
    fn a_part_asks_only_for_what_it_uses() {
        assert_eq!(of(&[Part::Fmt, Part::Tidy]), []);
        assert_eq!(of(&[Part::Api]), [Need::Postgres]);
        assert_eq!(of(&[Part::Browser, Part::Interop]), [Need::Chromium, Need::Node]);
    }
}
