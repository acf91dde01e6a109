//! What the tests need besides a Rust toolchain, and how it gets onto the machine.

use std::path::Path;

use anyhow::{Result, bail};

use super::Part;
use crate::command::{self, Command};
use crate::terminal;
use crate::workspace::Workspace;

/// Where Debian puts the server's programs, which are not in PATH.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";
/// The oldest Node that Baileys 7 runs on.
const NODE_MAJOR: u32 = 20;

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
            Self::Node => command::find_program("npm").is_some() && node_major().is_some(),
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
            Self::Node => "Node.js 20 or newer with npm",
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
        check_node()?;
        npm(workspace, may_install)?;
    }
    Ok(())
}

fn apt(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    Command::new("apt-get", &workspace.root)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(arguments)
        .run()
}

fn check_node() -> Result<()> {
    match node_major() {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        Some(major) => bail!("Node.js {major} is installed, but the foreign clients need {NODE_MAJOR} or newer"),
        None => bail!("node does not tell its version"),
    }
}

fn node_major() -> Option<u32> {
    let version = Command::new("node", Path::new(".")).arg("--version").capture().ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn debian_postgres() -> bool {
    let Ok(versions) = std::fs::read_dir(DEBIAN_POSTGRES) else {
        return false;
    };
    versions
        .flatten()
        .any(|version| version.path().join("bin/postgres").is_file())
}

/// The npm packages of tests/, exactly as its lock file says.
fn npm(workspace: &Workspace, may_install: bool) -> Result<()> {
    let folder = workspace.path("tests");
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    if !lock.is_file() {
        return Ok(());
    }
    let modified = |file: &Path| file.metadata().and_then(|metadata| metadata.modified()).ok();
    if modified(&installed) >= modified(&lock) {
        return Ok(());
    }
    if !may_install {
        bail!("the npm packages of tests/ are missing or old: run `npm ci` there");
    }
    terminal::note("installing the npm packages of tests/");
    let npm = Command::new("npm", &folder);
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .run()
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
