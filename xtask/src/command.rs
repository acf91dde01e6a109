//! Child processes: run them with their output shown, or capture it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use anyhow::{Context, Result, bail};

/// A command with what is needed to tell a person how to repeat it.
#[derive(Debug)]
pub struct Command {
    process: Process,
    shown: String,
}

/// The cargo that runs us, in the workspace.
///
/// Cargo tells its children which package they belong to. Passed on, those variables make some build scripts believe
/// that their input changed, and half the dependencies are built again on every switch between verbs. The same goes for
/// what `.cargo/config.toml` sets: the cargo below sets it again.
pub fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program, root);
    "cargo".clone_into(&mut command.shown);
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let about_package = name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        let of_ours = [
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "LIBSQLITE3_FLAGS",
        ];
        if about_package || of_ours.contains(&name) {
            command.process.env_remove(name);
        }
    }
    command
}

impl Command {
    pub fn new(program: impl AsRef<OsStr>, directory: &Path) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        let mut process = Process::new(program);
        process.current_dir(directory);
        Self { process, shown }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.process.arg(argument);
        self
    }

    pub fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.process.env(name, value);
        self
    }

    /// Runs it with its output on the terminal.
    pub fn run(mut self) -> Result<()> {
        let status = self
            .process
            .status()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
    }

    /// Runs it and hands every line of its standard output to `see`, which also decides what to show.
    pub fn watch(mut self, mut see: impl FnMut(&str)) -> Result<()> {
        let mut child = self
            .process
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        let stdout = child.stdout.take().context("the child's output is not piped")?;
        for line in BufReader::new(stdout).split(b'\n') {
            see(&String::from_utf8_lossy(&line?));
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
    }

    /// Runs it and returns its standard output; errors go to the terminal.
    pub fn capture(mut self) -> Result<String> {
        let output = self
            .process
            .stderr(Stdio::inherit())
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.shown, output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Becomes the command: signals, exit code and terminal are then its own.
    pub fn replace(mut self) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            let error = self.process.exec();
            Err(error).with_context(|| format!("cannot start `{}`", self.shown))
        }
        #[cfg(not(unix))]
        {
            self.run()
        }
    }
}

/// Looks a program up as a shell would.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
