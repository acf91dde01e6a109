//! Builds the web console into a folder of static files: compile to WebAssembly, bundle, compress.
//!
//! Nothing is done while the inputs' fingerprint is unchanged. Where the server is told to look for the files, and what
//! it shows when they could not be built, is decided here too.

mod budget;
mod bundle;
mod compiler;
mod compress;
mod fingerprint;
mod parts;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::terminal::{self, Step};
use crate::workspace::Workspace;
use compiler::Compiler;

#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Options {
    /// Build small instead of fast.
    #[arg(long)]
    release: bool,
}

pub fn run(options: Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let folder = build(&workspace, options.release, 1, 1)?;
    println!("{}", folder.display());
    Ok(())
}

/// Builds the console, or a page that says why there is none; returns the folder to serve.
pub fn build_or_explain(workspace: &Workspace, release: bool, number: usize, of: usize) -> Result<PathBuf> {
    build(workspace, release, number, of).or_else(|error| {
        terminal::warn(&format!(
            "the console could not be built: {error:#}\nKabar starts without it; the API and GraphiQL work."
        ));
        explain(workspace, &format!("{error:#}"))
    })
}

/// Builds the console when its inputs changed; returns the folder of its files.
pub fn build(workspace: &Workspace, release: bool, number: usize, of: usize) -> Result<PathBuf> {
    let profile = if release { "web" } else { "web-dev" };
    let build_folder = workspace.target.join("web");
    let dist = build_folder.join("dist").join(profile);
    let mark = build_folder.join(format!("{profile}.fingerprint"));

    let fingerprint = fingerprint::of(workspace, profile)?;
    let up_to_date =
        fs::read_to_string(&mark).is_ok_and(|kept| kept == fingerprint) && dist.join("index.html").is_file();
    if up_to_date {
        Step::begin(number, of, "Console").done("unchanged since it was last built");
        return Ok(dist);
    }

    let step = Step::begin(number, of, "Console, compiled to WebAssembly");
    if !build_folder.join("wasm32-unknown-unknown").is_dir() {
        terminal::note("The first build compiles about 200 libraries: 1 to 3 minutes on two cores.");
    }
    let wasm = Compiler::find(workspace)?.build(workspace, &build_folder, profile)?;
    terminal::note("bundling");
    bundle::bundle(workspace, &wasm, &dist)?;
    let sizes = compress::folder(
        &dist,
        if release {
            compress::Effort::Small
        } else {
            compress::Effort::Fast
        },
    )?;
    fs::write(&mark, &fingerprint).with_context(|| format!("cannot write {}", mark.display()))?;
    step.done(&format!(
        "{} of files, {} compressed",
        terminal::size(sizes.plain),
        terminal::size(sizes.brotli)
    ));
    Ok(dist)
}

/// Builds the console small and compares what a browser downloads with what it may be.
pub fn check_size(workspace: &Workspace) -> Result<()> {
    budget::check(&build(workspace, true, 1, 1)?)
}

/// Clippy for the code that only exists in the browser; it shares the console's build folder.
pub fn clippy(workspace: &Workspace) -> Result<()> {
    Compiler::find(workspace)?.clippy(workspace, &workspace.target.join("web"), "web-dev")
}

/// A folder with one page that says what went wrong.
fn explain(workspace: &Workspace, reason: &str) -> Result<PathBuf> {
    let folder = workspace.target.join("web").join("dist").join("unavailable");
    write_explanation(&folder, reason).with_context(|| format!("cannot write {}", folder.display()))?;
    Ok(folder)
}

fn write_explanation(folder: &Path, reason: &str) -> std::io::Result<()> {
    let escaped = reason.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("index.html"),
        include_str!("console/unavailable.html").replace("{{reason}}", &escaped),
    )
}

#[cfg(test)]
mod tests {
    use super::write_explanation;

    #[test]
    fn the_explanation_cannot_be_markup() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        write_explanation(folder.path(), "expected `Vec<u8>` & found <script>")?;
        let page = std::fs::read_to_string(folder.path().join("index.html"))?;
        assert!(
            page.contains("expected `Vec&lt;u8&gt;` &amp; found &lt;script&gt;"),
            "{page}"
        );
        Ok(())
    }
}
