//! The files that the rules look at.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const SKIPPED_FOLDERS: [&str; 5] = [".git", "target", "node_modules", "dist", "data"];
const READ: [&str; 18] = [
    "rs", "toml", "graphql", "md", "mjs", "js", "json", "css", "html", "svg", "yml", "yaml", "sh", "sql", "conf",
    "lock", "ftl", "txt",
];

/// A text file of the checkout.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// A file that only exists for the tests of its module.
    pub fn is_tests(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The text up to the first inline test module.
    pub fn without_tests(&self) -> &str {
        self.text
            .find("\n#[cfg(test)]\nmod ")
            .map_or(&self.text, |end| &self.text[..end])
    }
}

pub fn collect(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    walk(root, root, &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn walk(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                walk(root, &path, sources)?;
            }
            continue;
        }
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        let known_by_name = matches!(
            name.as_str(),
            "Dockerfile" | "run" | ".gitignore" | ".npmrc" | ".editorconfig"
        );
        if READ.contains(&extension) || known_by_name {
            let relative = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            let bytes = fs::read(&path).with_context(|| format!("cannot read {relative}"))?;
            sources.push(Source {
                path: relative,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    Ok(())
}
