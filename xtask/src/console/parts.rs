//! Cuts the console's module into what every page needs and a part for each page, loaded when somebody goes there.
//!
//! The names of the parts carry a fingerprint of the whole: a tab that was opened before an upgrade never loads a part
//! that does not belong to it. It finds nothing under the old name, and shows the page that asks to reload.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

/// Cuts `wasm` and writes the parts and the script that loads them to `dist`; returns the main module, which
/// wasm-bindgen has yet to see.
pub fn cut(wasm: &Path, main_script: &str, dist: &Path) -> Result<PathBuf> {
    let bytes = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    let print = format!("{:016x}", hasher.finish());
    let (main, loader) = (wasm.with_extension("main.wasm"), format!("./parts-{print}.js"));

    let mut options = Options::new(&bytes);
    options.output_dir = dist;
    options.main_out_path = &main;
    options.main_module = main_script;
    options.link_name = &loader;
    let cut = transform(options).map_err(|error| anyhow!("the module could not be cut: {error:#}"))?;

    let script = dist.join(&loader);
    let mut text = fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
    for part in cut.split_modules {
        let name = part.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let printed = format!("{}-{print}.wasm", readable(&name));
        text = text.replace(&format!("\"./{name}.wasm\""), &format!("\"./{printed}\""));
        fs::rename(&part, dist.join(&printed)).with_context(|| format!("cannot rename {}", part.display()))?;
    }
    fs::write(&script, text).with_context(|| format!("cannot write {}", script.display()))?;
    Ok(main)
}

/// `split_inbox_view_1234567890` → `inbox-view`, `chunk_3` → `chunk-3`.
fn readable(name: &str) -> String {
    let name = name.trim_start_matches("split_").trim_matches('_');
    let name = match name.rsplit_once('_') {
        Some((words, number)) if number.len() > 8 && number.bytes().all(|byte| byte.is_ascii_digit()) => words,
        _ => name,
    };
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn parts_are_named_after_their_pages() {
        assert_eq!(readable("split___inbox_view_1234567890123"), "inbox-view");
        assert_eq!(readable("chunk_3"), "chunk-3");
    }
}
