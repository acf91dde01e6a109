//! The Node.js that runs the browser's driver and the foreign clients: the machine's own, or one from the npm registry.
//!
//! Debian 12 has Node 18, on which Baileys 7 does not run, and an npm that cannot read the lock file of tests/. There, and
//! wherever else the machine's are too old, that npm brings the two that the lock file of tests/node names; commands find
//! this Node first in their PATH.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{self, Command};
use crate::terminal;
use crate::workspace::Workspace;

/// The oldest that Baileys 7 runs on.
const OLDEST: u32 = 20;

/// Whether the machine has any Node with npm; how old it is does not matter, because npm can bring another.
pub fn present() -> bool {
    command::find_program("npm").is_some() && command::find_program("node").is_some()
}

/// The PATH for commands that start `node`.
pub fn path(workspace: &Workspace) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = own_folder(workspace);
    if machines_is_new_enough() || !own.join("node").is_file() {
        return path;
    }
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// Brings a newer Node and npm where the machine's is too old, and the npm packages of tests/.
pub fn install(workspace: &Workspace, may_install: bool) -> Result<()> {
    let (own, tests) = (workspace.path("tests/node"), workspace.path("tests"));
    let mut npm = Command::new("npm", &tests);
    if !machines_is_new_enough() {
        let what = "Node.js itself, because the machine's is too old";
        packages(Command::new("npm", &own), &own, what, may_install)?;
        let node = own_folder(workspace).join("node");
        if major(&node).is_none_or(|major| major < OLDEST) {
            bail!("the foreign clients need Node.js {OLDEST} or newer, and npm brought none: install one");
        }
        npm = Command::new(node, &tests).args([
            "--use-system-ca".as_ref(),
            own.join("node_modules/npm/bin/npm-cli.js").as_os_str(),
        ]);
    }
    packages(npm, &tests, "the npm packages of tests/", may_install)
}

/// Where the Node that tests/node brings for this machine has its program.
fn own_folder(workspace: &Workspace) -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    workspace.path(&format!(
        "tests/node/node_modules/node-{}-{architecture}/bin",
        std::env::consts::OS
    ))
}

fn machines_is_new_enough() -> bool {
    major(Path::new("node")).is_some_and(|major| major >= OLDEST)
}

fn major(program: &Path) -> Option<u32> {
    let version = Command::new(program, Path::new(".")).arg("--version").capture().ok()?;
    parse_major(&version)
}

/// `v22.23.3` → 22.
fn parse_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The npm packages of a folder, exactly as its lock file says.
fn packages(npm: Command, folder: &Path, what: &str, may_install: bool) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let installed = folder.join("node_modules/.package-lock.json");
    let modified = |file: &Path| file.metadata().and_then(|metadata| metadata.modified()).ok();
    if modified(&installed) >= Some(modified(&lock).with_context(|| format!("{} is missing", lock.display()))?) {
        return Ok(());
    }
    if !may_install {
        bail!("npm packages are missing or old: run `npm ci` in {}", folder.display());
    }
    terminal::note(&format!("installing {what}"));
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .run()
}

#[cfg(test)]
mod tests {
    use super::parse_major;

    #[test]
    fn a_version_has_a_major() {
        assert_eq!(parse_major("v22.23.3\n"), Some(22));
        assert_eq!(parse_major("v18.20.4"), Some(18));
        assert_eq!(parse_major("command not found"), None);
    }
}
