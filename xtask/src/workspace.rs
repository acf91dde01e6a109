//! Where things are: the checkout, and the one target directory every step builds into.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command;

/// The checkout and its build directory.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's own answer, so that `CARGO_TARGET_DIR` and configuration files count.
    pub target: PathBuf,
}

impl Workspace {
    pub fn find() -> Result<Self> {
        // Cargo tells who it runs; what this was compiled in may be another checkout that shares the target directory.
        let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest)
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let root = if root.join("Cargo.toml").is_file() {
            root
        } else {
            std::env::current_dir()?
        };
        let answer = command::cargo(&root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .capture()?;
        let metadata: serde_json::Value = serde_json::from_str(&answer).context("cargo metadata is not JSON")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target directory")?;
        Ok(Self {
            target: PathBuf::from(target),
            root,
        })
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The built server. The profile is cargo's folder name: `debug` or `release`.
    pub fn binary(&self, profile_folder: &str, name: &str) -> PathBuf {
        self.target
            .join(profile_folder)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
