//! A short text that changes when anything the console is built from changes.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// The console's inputs besides its own folder; the bundler's code counts as one.
const FILES: [&str; 4] = ["Cargo.toml", "Cargo.lock", "api/schema.graphql", ".cargo/config.toml"];
const FOLDERS: [&str; 2] = ["web", "xtask/src/console"];

pub fn of(workspace: &Workspace, profile: &str) -> Result<String> {
    let mut files = BTreeSet::new();
    for folder in FOLDERS {
        collect(&workspace.path(folder), &mut files)?;
    }
    files.extend(
        FILES
            .iter()
            .map(|file| workspace.path(file))
            .filter(|file| file.is_file()),
    );

    let mut hasher = DefaultHasher::new();
    hasher.write(profile.as_bytes());
    for file in files {
        hasher.write(file.as_os_str().as_encoded_bytes());
        hasher.write(&fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && name != "dist" {
                collect(&path, files)?;
            }
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::workspace::Workspace;
    use std::fs;

    #[test]
    fn any_input_changes_the_fingerprint() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let workspace = Workspace {
            root: root.path().to_path_buf(),
            target: root.path().join("target"),
        };
        fs::create_dir_all(workspace.path("web/src"))?;
        fs::create_dir_all(workspace.path("xtask/src/console"))?;
        fs::write(workspace.path("web/src/lib.rs"), "one")?;
        let first = of(&workspace, "web-dev")?;
        assert_eq!(first, of(&workspace, "web-dev")?);
        assert_ne!(first, of(&workspace, "web")?);
        fs::write(workspace.path("web/src/lib.rs"), "two")?;
        let second = of(&workspace, "web-dev")?;
        assert_ne!(first, second);
        fs::write(workspace.path("Cargo.lock"), "")?;
        assert_ne!(second, of(&workspace, "web-dev")?);
        Ok(())
    }
}
