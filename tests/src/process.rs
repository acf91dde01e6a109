//! The server as its users run it: a process, killed and restarted at will.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::place::{Place, tail, test_name};

const READY: &str = "Kabar is ready: ";
const START_DEADLINE: Duration = Duration::from_mins(1);

/// A running `kabar serve`, and what is needed to run it again.
#[derive(Debug)]
pub struct Kabar {
    program: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
    base: String,
}

/// What a process used of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub resident_bytes: u64,
    pub cpu: Duration,
}

impl Kabar {
    /// Starts the server and waits until it says that it is ready.
    pub async fn start(environment: Vec<(String, String)>) -> Result<Self> {
        Self::start_program(Place::find()?.program("kabar")?, environment).await
    }

    /// The same with another build of the server.
    pub async fn start_program(program: PathBuf, environment: Vec<(String, String)>) -> Result<Self> {
        let log = Place::find()?.log_of(&test_name())?;
        let mut kabar = Self {
            program,
            environment,
            log,
            child: None,
            base: String::new(),
        };
        File::create(&kabar.log)?;
        kabar.launch().await?;
        Ok(kabar)
    }

    /// Another node on the same database, with a folder and a log of its own.
    pub async fn beside(&self, data_dir: &Path) -> Result<Self> {
        let mut kabar = Self {
            program: self.program.clone(),
            environment: self.environment.clone(),
            log: self.log.with_extension("second.log"),
            child: None,
            base: String::new(),
        };
        kabar.set("KABAR_DATA_DIR", &data_dir.display().to_string());
        File::create(&kabar.log)?;
        kabar.launch().await?;
        Ok(kabar)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What it logged so far, over all its restarts.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn log_file(&self) -> &Path {
        &self.log
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(existing, _)| existing != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it again, on the same port, after it ended.
    pub async fn start_again(&mut self) -> Result<()> {
        if self.child.is_some() {
            bail!("it still runs");
        }
        self.launch().await
    }

    /// SIGKILL: nothing can be tidied up.
    pub async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.kill().await.context("cannot kill the server")
    }

    /// SIGTERM, and the end it leads to. Fails when the server does not end well in time.
    pub async fn terminate(&mut self) -> Result<Duration> {
        let mut child = self.child.take().context("it does not run")?;
        let began = std::time::Instant::now();
        rustix::process::kill_process(pid_of(&child)?, Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_secs(40), child.wait())
            .await
            .context("the server did not end within 40 s of SIGTERM")??;
        if !status.success() {
            bail!("the server ended with {status} after SIGTERM:\n{}", tail(&self.log, 40));
        }
        Ok(began.elapsed())
    }

    pub async fn restart(&mut self) -> Result<()> {
        self.terminate().await?;
        self.start_again().await
    }

    pub fn usage(&self) -> Result<Usage> {
        let child = self.child.as_ref().context("it does not run")?;
        usage_of(child.id().context("it ended")?)
    }

    async fn launch(&mut self) -> Result<()> {
        let log = OpenOptions::new().append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let is_setting = |name: &str| name.starts_with("KABAR_") || name.starts_with("OTEL_");
        for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if !self.base.is_empty() {
            command.env("KABAR_LISTEN", self.base.trim_start_matches("http://"));
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let stdout = child.stdout.take().context("the server's output is not piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let base = match tokio::time::timeout(START_DEADLINE, read_until_ready(&mut lines, &self.log)).await {
            Ok(Ok(base)) => base,
            Ok(Err(error)) => bail!("the server did not start: {error:#}\n{}", tail(&self.log, 40)),
            Err(_) => bail!(
                "the server was not ready after {START_DEADLINE:?}:\n{}",
                tail(&self.log, 40)
            ),
        };
        let log = self.log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                append(&log, &line);
            }
        });
        self.base = base;
        self.child = Some(child);
        Ok(())
    }
}

async fn read_until_ready(lines: &mut Lines<BufReader<ChildStdout>>, log: &Path) -> Result<String> {
    while let Some(line) = lines.next_line().await? {
        append(log, &line);
        if let Some((_, address)) = line.split_once(READY) {
            return Ok(address
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned());
        }
    }
    bail!("it ended before it was ready")
}

fn append(log: &Path, line: &str) {
    use std::io::Write;
    // A log that can't be written must not fail the test.
    let _ = OpenOptions::new()
        .append(true)
        .open(log)
        .and_then(|mut file| writeln!(file, "{line}"));
}

fn pid_of(child: &Child) -> Result<Pid> {
    let id = child.id().context("the server ended already")?;
    Pid::from_raw(i32::try_from(id)?).context("no process id")
}

/// Resident memory and processor time of a process, from /proc.
pub fn usage_of(id: u32) -> Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kilobytes: u64 = resident.trim().trim_end_matches("kB").trim().parse()?;
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The command's name may contain spaces; the fields after its closing parenthesis may not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 =
        fields.get(11).context("no utime")?.parse::<u64>()? + fields.get(12).context("no stime")?.parse::<u64>()?;
    Ok(Usage {
        resident_bytes: kilobytes * 1024,
        cpu: Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()),
    })
}
