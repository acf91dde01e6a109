//! Finds a compiler for WebAssembly: the installed toolchain's, the target rustup adds, or Debian's own.
//!
//! The target is not listed in a rust-toolchain.toml, because then every cargo command would fail on a machine that
//! can't download it, the server's included.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{self, Command};
use crate::terminal;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler, its standard library's source and a linker.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Which compiler builds the console.
#[derive(Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The toolchain that built this program has the target.
    Installed,
    /// Debian's packages, which build the standard library from its source.
    Debian { linker: PathBuf },
}

impl Compiler {
    pub fn find(workspace: &Workspace) -> Result<Self> {
        if std::env::var("KABAR_WASM_COMPILER").is_ok_and(|wanted| wanted == "debian") {
            return Self::debian(workspace);
        }
        if has_target(workspace)? {
            return Ok(Self::Installed);
        }
        terminal::note(&format!("adding the compiler's target {TARGET} with rustup"));
        let added = Command::new("rustup", &workspace.root)
            .args(["target", "add", TARGET])
            .run();
        if added.is_ok() && has_target(workspace)? {
            return Ok(Self::Installed);
        }
        terminal::note("rustup could not add it; trying Debian's own compiler");
        Self::debian(workspace)
    }

    fn debian(workspace: &Workspace) -> Result<Self> {
        let installed = || Path::new(DEBIAN_RUSTC).is_file() && Path::new(DEBIAN_CARGO).is_file();
        let packages = DEBIAN_PACKAGES.join(" ");
        if !installed() {
            let root = Command::new("id", &workspace.root)
                .arg("-u")
                .capture()
                .is_ok_and(|id| id.trim() == "0");
            if !root || command::find_program("apt-get").is_none() {
                bail!(
                    "this toolchain has no {TARGET}. Run `rustup target add {TARGET}`, \
                     or on Debian `apt-get install {packages}`, and try again"
                );
            }
            terminal::note(&format!("installing {packages}"));
            let apt = |arguments: &[&str]| {
                Command::new("apt-get", &workspace.root)
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    .args(arguments)
            };
            apt(&["update", "-qq"]).run()?;
            apt(&[
                &["install", "-y", "-qq", "--no-install-recommends"],
                DEBIAN_PACKAGES.as_slice(),
            ]
            .concat())
            .run()?;
        }
        let linker = rustup_linker(workspace).or_else(|| command::find_program("rust-lld"));
        let linker = linker.or_else(|| command::find_program("wasm-ld"));
        Ok(Self::Debian {
            linker: linker.context("there is no linker for WebAssembly (package lld)")?,
        })
    }

    /// Compiles the `web` package; returns the `.wasm` file.
    pub fn build(&self, workspace: &Workspace, build_folder: &Path, profile: &str) -> Result<PathBuf> {
        self.command("build", workspace, build_folder, profile).run()?;
        let folder = build_folder.join(TARGET).join(profile);
        ["web.wasm", "kabar-web.wasm"]
            .iter()
            .map(|name| folder.join(name))
            .find(|file| file.is_file())
            .with_context(|| format!("the compiler left no web.wasm in {}", folder.display()))
    }

    pub fn clippy(&self, workspace: &Workspace, build_folder: &Path, profile: &str) -> Result<()> {
        if matches!(self, Self::Debian { .. }) {
            terminal::warn("Debian's compiler brings no clippy for WebAssembly; the console's code is not linted");
            return Ok(());
        }
        self.command("clippy", workspace, build_folder, profile)
            .args(["--", "-D", "warnings"])
            .run()
    }

    fn command(&self, verb: &str, workspace: &Workspace, build_folder: &Path, profile: &str) -> Command {
        let cargo = match self {
            Self::Installed => command::cargo(&workspace.root),
            Self::Debian { linker } => Command::new(DEBIAN_CARGO, &workspace.root)
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker),
        };
        let cargo = cargo
            .args([
                verb,
                "-p",
                "web",
                "--target",
                TARGET,
                "--profile",
                profile,
                "--target-dir",
            ])
            .arg(build_folder);
        match self {
            Self::Installed => cargo,
            Self::Debian { .. } => cargo.arg("-Zbuild-std=std,panic_abort"),
        }
    }
}

fn rustc(workspace: &Workspace) -> Command {
    Command::new(
        std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        &workspace.root,
    )
}

fn has_target(workspace: &Workspace) -> Result<bool> {
    let folder = rustc(workspace)
        .args(["--print", "target-libdir", "--target", TARGET])
        .capture()?;
    Ok(Path::new(folder.trim()).is_dir())
}

/// The linker that rustup's toolchains bring along.
fn rustup_linker(workspace: &Workspace) -> Option<PathBuf> {
    let sysroot = rustc(workspace).args(["--print", "sysroot"]).capture().ok()?;
    let version = rustc(workspace).arg("-vV").capture().ok()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    let linker = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin/rust-lld");
    linker.is_file().then_some(linker)
}

#[cfg(test)]
mod tests {
    use super::Compiler;
    use crate::workspace::Workspace;
    use std::path::{Path, PathBuf};

    fn command(compiler: &Compiler) -> String {
        let workspace = Workspace {
            root: PathBuf::from("/kabar"),
            target: PathBuf::from("/kabar/target"),
        };
        format!(
            "{:?}",
            compiler.command("build", &workspace, Path::new("/kabar/target/web"), "web-dev")
        )
    }

    #[test]
    fn the_installed_toolchain_needs_nothing_special() {
        let shown = command(&Compiler::Installed);
        assert!(!shown.contains("build-std"), "{shown}");
        assert!(!shown.contains("RUSTC_BOOTSTRAP"), "{shown}");
    }

    #[test]
    fn debians_compiler_builds_the_standard_library_too() {
        let shown = command(&Compiler::Debian {
            linker: PathBuf::from("/opt/rust-lld"),
        });
        assert!(shown.contains("-Zbuild-std=std,panic_abort"), "{shown}");
        assert!(shown.contains("RUSTC_BOOTSTRAP"), "{shown}");
        assert!(shown.contains("/opt/rust-lld"), "{shown}");
        assert!(shown.contains("/usr/bin/cargo"), "{shown}");
    }

    #[test]
    fn the_compiler_that_runs_this_test_is_found() -> anyhow::Result<()> {
        let workspace = Workspace::find()?;
        super::has_target(&workspace)?;
        assert!(super::rustup_linker(&workspace).is_none_or(|linker| linker.is_file()));
        Ok(())
    }
}
