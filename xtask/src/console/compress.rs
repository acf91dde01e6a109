//! Compresses the console's files once, when they are built, instead of on every request.
//!
//! `console.js` gets `console.js.br` and `console.js.gz` beside it; the server picks by the browser's Accept-Encoding.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Formats that are compressed already, or too small a part to matter, stay as they are.
const COMPRESSED: [&str; 8] = ["html", "css", "js", "mjs", "json", "svg", "wasm", "txt"];

#[derive(Clone, Copy, Debug)]
pub enum Effort {
    Fast,
    Small,
}

/// Bytes of all files, plain and as a browser downloads them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    pub plain: u64,
    pub brotli: u64,
}

pub fn folder(folder: &Path, effort: Effort) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for path in entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?
    {
        let added = if path.is_dir() {
            self::folder(&path, effort)?
        } else {
            file(&path, effort)?
        };
        sizes.plain += added.plain;
        sizes.brotli += added.brotli;
    }
    Ok(sizes)
}

fn file(path: &Path, effort: Effort) -> Result<Sizes> {
    let bytes = fs::read(path)?;
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    if !COMPRESSED.contains(&extension) {
        return Ok(Sizes {
            plain: bytes.len() as u64,
            brotli: bytes.len() as u64,
        });
    }
    let brotli = brotli(&bytes, effort)?;
    fs::write(beside(path, "br"), &brotli)?;
    fs::write(beside(path, "gz"), gzip(&bytes, effort)?)?;
    Ok(Sizes {
        plain: bytes.len() as u64,
        brotli: brotli.len() as u64,
    })
}

fn beside(path: &Path, extension: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn brotli(bytes: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let quality = match effort {
        Effort::Fast => 5,
        Effort::Small => 11,
    };
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: 22,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let level = match effort {
        Effort::Fast => flate2::Compression::new(6),
        Effort::Small => flate2::Compression::best(),
    };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::{Effort, folder};
    use std::fs;
    use std::io::Read;

    #[test]
    fn text_gets_two_compressed_files_and_pictures_none() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let text = "kabar ".repeat(1000);
        fs::create_dir(root.path().join("assets"))?;
        fs::write(root.path().join("assets/app.js"), &text)?;
        fs::write(root.path().join("icon.png"), [0u8; 10])?;

        let sizes = folder(root.path(), Effort::Fast)?;

        assert_eq!(sizes.plain, 6010);
        assert!(sizes.brotli < 200, "{sizes:?}");
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(fs::File::open(root.path().join("assets/app.js.gz"))?)
            .read_to_string(&mut unpacked)?;
        assert_eq!(unpacked, text);
        assert!(root.path().join("assets/app.js.br").is_file());
        assert!(!root.path().join("icon.png.br").exists());
        Ok(())
    }
}
