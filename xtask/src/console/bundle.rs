//! Turns the compiled console into the files a browser loads.
//!
//! `index.html` loads `kabar.js` and `kabar_bg.wasm`; the server answers with an ETag, so that an unchanged console is
//! not downloaded again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::parts;
use crate::workspace::Workspace;

pub fn bundle(workspace: &Workspace, wasm: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    fs::create_dir_all(dist)?;
    let main = parts::cut(wasm, "./kabar.js", dist)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(main)
        // The parts import the main module's memory, table and stack.
        .keep_lld_exports(true)
        .out_name("kabar")
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.web(true)?;
    bindgen.generate(dist).context("wasm-bindgen failed")?;
    copy(&workspace.path("web/static"), dist)?;
    copy(&workspace.path("web/style"), &dist.join("style"))?;
    fs::copy(workspace.path("web/index.html"), dist.join("index.html")).context("web/index.html is missing")?;
    Ok(())
}

/// Copies a folder when it exists.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
