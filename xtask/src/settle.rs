//! Makes a finished build stay finished.
//!
//! A build script may tell cargo to watch a file that it writes itself (waproto's does). Cargo compares that file with
//! the moment at which the script began, finds it newer, and so compiles the library and everything above it a second
//! time: the second `cargo run` would take minutes and change nothing.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use crate::workspace::Workspace;

/// Where a build script's watched files stand in what it told cargo.
const WATCHED: [&str; 2] = ["cargo:rerun-if-changed=", "cargo::rerun-if-changed="];

/// Settles what was built into `profile_folder`, such as `debug`. It only spares time, so what fails here fails nothing.
pub fn settle(workspace: &Workspace, profile_folder: &str) {
    let Ok(scripts) = fs::read_dir(workspace.target.join(profile_folder).join("build")) else {
        return;
    };
    for script in scripts.flatten() {
        let _ = settle_script(&script.path());
    }
}

/// Dates files that the script wrote while it ran back to the moment when it began.
fn settle_script(folder: &Path) -> std::io::Result<()> {
    let told = folder.join("output");
    let began = modified(&told)?;
    let written_by_it = folder.join("out");
    let text = fs::read_to_string(&told)?;
    let watched = text
        .lines()
        .filter_map(|line| WATCHED.iter().find_map(|key| line.strip_prefix(key)));
    for file in watched.map(Path::new).filter(|file| file.starts_with(&written_by_it)) {
        if modified(file)? > began {
            File::options().write(true).open(file)?.set_modified(began)?;
        }
    }
    Ok(())
}

fn modified(file: &Path) -> std::io::Result<SystemTime> {
    fs::metadata(file)?.modified()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::{modified, settle_script};

    #[test]
    fn only_what_the_script_wrote_itself_is_dated_back() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (own, source) = (folder.path().join("out/made.desc"), folder.path().join("source.proto"));
        fs::create_dir(folder.path().join("out"))?;
        fs::write(&own, "made")?;
        fs::write(&source, "given")?;
        let told = folder.path().join("output");
        let lines = [&own, &source].map(|file| format!("cargo:rerun-if-changed={}\n", file.display()));
        fs::write(&told, lines.concat())?;
        let began = SystemTime::now() - Duration::from_mins(1);
        File::options().write(true).open(&told)?.set_modified(began)?;
        let began = modified(&told)?;

        settle_script(folder.path())?;
        assert_eq!(modified(&own)?, began);
        assert!(modified(&source)? > began);
        Ok(())
    }
}
