//! How much a browser may have to download: the console stays small, or somebody decides otherwise here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::terminal;

/// The main module, which everything waits for.
const MAIN: u64 = 350_000;
/// Each part, which one section waits for.
const PART: u64 = 130_000;

/// Checks the compressed modules of a console that was built small.
pub fn check(dist: &Path) -> Result<()> {
    let mut problems = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(module) = name.strip_suffix(".wasm.br") else {
            continue;
        };
        let allowed = if module == "kabar_bg" { MAIN } else { PART };
        let size = entry.metadata()?.len();
        if size > allowed {
            problems.push(format!(
                "{name} has {}, and may have {}",
                terminal::size(size),
                terminal::size(allowed)
            ));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    problems.sort();
    bail!(
        "the console has grown over its budget; make a section of it a part (web/src/pages/parts.rs):\n{}",
        problems.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::{MAIN, PART, check};
    use std::fs;

    #[test]
    fn the_main_module_and_every_part_have_a_budget() -> anyhow::Result<()> {
        let dist = tempfile::tempdir()?;
        let write =
            |name: &str, size: u64| fs::write(dist.path().join(name), vec![0; usize::try_from(size).unwrap_or(0)]);
        write("kabar_bg.wasm.br", MAIN)?;
        write("inbox-0123456789abcdef.wasm.br", PART)?;
        write("inbox-0123456789abcdef.wasm", PART * 4)?;
        check(dist.path())?;

        write("inbox-0123456789abcdef.wasm.br", PART + 1)?;
        let said = check(dist.path()).map_err(|error| error.to_string());
        assert!(said.is_err_and(|said| said.contains("inbox-0123456789abcdef")));
        Ok(())
    }
}
