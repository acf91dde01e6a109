//! Migrations are append-only: what a released database has run may not change.
//!
//! migration/applied.txt keeps the name and a hash of each migration. New ones are added by
//! `cargo xtask tidy --accept-migrations`; a changed or missing one is an error.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::Finding;
use crate::workspace::Workspace;

const LIST: &str = "migration/applied.txt";
const FOLDER: &str = "migration/src";

pub fn accept(workspace: &Workspace) -> Result<()> {
    let lines: Vec<String> = present(workspace)?
        .iter()
        .map(|(name, hash)| format!("{hash} {name}\n"))
        .collect();
    fs::write(workspace.path(LIST), lines.concat()).with_context(|| format!("cannot write {LIST}"))?;
    eprintln!("{LIST} lists {} migrations.", lines.len());
    Ok(())
}

pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let Ok(kept) = fs::read_to_string(workspace.path(LIST)) else {
        return Ok(vec![Finding::Warning(format!(
            "{LIST} is missing: run `cargo xtask tidy --accept-migrations`"
        ))]);
    };
    Ok(compare(&kept, &present(workspace)?))
}

fn compare(kept: &str, present: &BTreeMap<String, String>) -> Vec<Finding> {
    let kept: BTreeMap<&str, &str> = kept
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(hash, name)| (name, hash))
        .collect();
    let mut findings = Vec::new();
    for (name, hash) in &kept {
        match present.get(*name) {
            None => findings.push(Finding::Error(format!(
                "{FOLDER}/{name} is gone, but databases have run it"
            ))),
            Some(now) if now != hash => {
                findings.push(Finding::Error(format!(
                    "{FOLDER}/{name} changed, but databases have run it: add a new migration"
                )));
            }
            Some(_) => {}
        }
    }
    let last = kept.keys().max();
    for name in present.keys().filter(|name| !kept.contains_key(name.as_str())) {
        if last.is_some_and(|last| name.as_str() < *last) {
            findings.push(Finding::Error(format!(
                "{FOLDER}/{name} is new but sorts before {}",
                last.unwrap_or(&"")
            )));
        } else {
            findings.push(Finding::Error(format!(
                "{FOLDER}/{name} is new: run `cargo xtask tidy --accept-migrations`"
            )));
        }
    }
    findings
}

/// File name → hash of its content, ignoring white space and comments, which change nothing.
fn present(workspace: &Workspace) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(workspace.path(FOLDER)) else {
        return Ok(files);
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('m') && name.contains("20") && path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(name, hash(&fs::read_to_string(&path)?));
        }
    }
    Ok(files)
}

/// FNV-1a: small, and the same for every compiler.
fn hash(text: &str) -> String {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let bytes = code.flat_map(str::bytes).filter(|byte| !byte.is_ascii_whitespace());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::{compare, hash};
    use crate::tidy::Finding;
    use std::collections::BTreeMap;

    #[test]
    fn a_changed_migration_is_an_error_and_a_comment_is_none() {
        let text = "fn up() { table(); }\n";
        assert_eq!(hash(text), hash("// why\nfn up() {\n    table();\n}\n"));
        let present = BTreeMap::from([("m2026_one.rs".to_owned(), hash(text))]);
        let kept = format!("{} m2026_one.rs\n", hash(text));
        assert_eq!(compare(&kept, &present), []);
        let other = BTreeMap::from([("m2026_one.rs".to_owned(), hash("fn up() {}"))]);
        assert!(matches!(compare(&kept, &other).as_slice(), [Finding::Error(text)] if text.contains("changed")));
        assert_eq!(compare(&kept, &BTreeMap::new()).len(), 1);
    }
}
