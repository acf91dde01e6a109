//! Where a test binary finds what cargo built, and where it may leave things for a person to look at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Cargo's target folder, seen from a test binary in `target/debug/deps`.
#[derive(Clone, Debug)]
pub struct Place {
    profile_folder: PathBuf,
}

impl Place {
    pub fn find() -> Result<Self> {
        let executable = std::env::current_exe()?;
        let folder = executable.parent().context("the test binary has no folder")?;
        let profile_folder = if folder.ends_with("deps") {
            folder.parent().unwrap_or(folder)
        } else {
            folder
        };
        Ok(Self {
            profile_folder: profile_folder.to_path_buf(),
        })
    }

    /// A program of this workspace: `KABAR_BIN` for the server, else the one beside the test binary.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        if name == "kabar"
            && let Some(path) = std::env::var_os("KABAR_BIN")
        {
            return Ok(path.into());
        }
        let path = self
            .profile_folder
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        if !path.is_file() {
            bail!("{} does not exist: run `cargo build --workspace` first", path.display());
        }
        Ok(path)
    }

    /// Logs and screenshots: `target/kabar-tests/{name}`.
    pub fn keep(&self, name: &str) -> Result<PathBuf> {
        let target = self.profile_folder.parent().unwrap_or(&self.profile_folder);
        let folder = target.join("kabar-tests").join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// The server's log of the test that runs in this thread.
    pub fn log_of(&self, test: &str) -> Result<PathBuf> {
        let binary = std::env::current_exe()?;
        let binary = binary.file_stem().and_then(|stem| stem.to_str()).unwrap_or("test");
        let binary = binary.split('-').next().unwrap_or(binary);
        Ok(self
            .keep("logs")?
            .join(format!("{binary}-{}.log", test.replace("::", "-"))))
    }
}

/// The name libtest gave to the thread of this test.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("unnamed").to_owned()
}

/// The last lines of a log.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
