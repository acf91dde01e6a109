//! PostgreSQL for tests: starts Debian's or the PATH's server by itself.
//!
//! One server is shared by every test binary of a run. Each binary holds a shared lock while it lives; a small watchman
//! process stops the server and deletes its files once nobody has held that lock for some seconds. The server never
//! syncs to disk, listens on loopback with a random password, and runs as another user when the tests run as root,
//! because Postgres refuses to be root. Kabar connects as an ordinary role, as it should in production.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sea_orm::ConnectionTrait;

/// As whom Kabar connects. It owns its databases and is no superuser: row-level security holds for it.
const USER: &str = "kabar";
/// As whom databases are made and dropped.
const SUPERUSER: &str = "postgres";
/// Who owns the server when the tests run as root, in order of preference.
const SERVICE_USERS: [&str; 2] = ["postgres", "nobody"];

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    password: String,
    /// Kept open: the watchman sees by this lock that the server is in use.
    _in_use: Option<File>,
    /// A server of one test, which it may stop and start.
    own: bool,
    durable: bool,
}

impl PostgresServer {
    /// The server that all tests of this user share.
    pub fn shared() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!(
            "kabar-postgres-ordinary-{}",
            rustix::process::getuid().as_raw()
        ));
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let setup = File::create(folder.join("setup.lock"))?;
        setup.lock()?;
        let in_use = File::create(folder.join("in-use.lock"))?;
        in_use.lock_shared()?;

        let programs = find_programs()?;
        if let Some((port, password)) = alive(&folder) {
            return Ok(Self {
                folder,
                programs,
                port,
                password,
                _in_use: Some(in_use),
                own: false,
                durable: false,
            });
        }
        let (port, password) = create(&folder, &programs)?;
        start(&folder, &programs, port, false)?;
        let server = Self {
            folder,
            programs,
            port,
            password,
            _in_use: Some(in_use),
            own: false,
            durable: false,
        };
        server.make_user()?;
        fs::write(server.folder.join("state"), format!("{port} {}", server.password))?;
        watch(&server.folder, &server.programs)?;
        Ok(server)
    }

    /// A server for one test, which may stop it and start it again.
    pub fn own() -> Result<Self> {
        Self::alone(false)
    }

    /// A server with its default durability, for measurements.
    pub fn durable() -> Result<Self> {
        Self::alone(true)
    }

    fn alone(durable: bool) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("kabar-postgres-").tempdir()?.keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let programs = find_programs()?;
        let (port, password) = create(&folder, &programs)?;
        start(&folder, &programs, port, durable)?;
        let server = Self {
            folder,
            programs,
            port,
            password,
            _in_use: None,
            own: true,
            durable,
        };
        server.make_user()?;
        Ok(server)
    }

    /// The URL of one of its databases, for Kabar.
    pub fn url(&self, database: &str) -> String {
        self.url_of(USER, database)
    }

    fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Makes a database that belongs to Kabar's user: an empty one, or a copy.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<()> {
        let of = template.map(|template| format!(" TEMPLATE {template}"));
        let statement = format!("CREATE DATABASE {name} OWNER {USER}{}", of.unwrap_or_default());
        self.administer(&statement).await
    }

    fn make_user(&self) -> Result<()> {
        let statement = format!("CREATE ROLE {USER} LOGIN PASSWORD '{}'", self.password);
        tokio::runtime::Runtime::new()?.block_on(self.administer(&statement))
    }

    /// Runs one statement as the server's owner.
    pub async fn administer(&self, statement: &str) -> Result<()> {
        let connection = connect(&self.url_of(SUPERUSER, "postgres")).await?;
        connection
            .execute_unprepared(statement)
            .await
            .with_context(|| statement.to_owned())?;
        connection.close().await?;
        Ok(())
    }

    /// Stops it at once, as a crash or a pulled cable would.
    pub fn stop(&self) -> Result<()> {
        let mut stop = as_service_user(&self.programs.join("pg_ctl"));
        stop.arg("-D")
            .arg(self.folder.join("data"))
            .args(["-m", "immediate", "-w", "stop"]);
        succeed(stop, "stopping Postgres")
    }

    pub fn start_again(&self) -> Result<()> {
        start(&self.folder, &self.programs, self.port, self.durable)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.own {
            // It is stopped already when the test stopped it; there is nobody to tell about anything else.
            let _ = self.stop();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the harness makes databases; it is no part of the server"
)]
pub async fn connect(url: &str) -> Result<sea_orm::DatabaseConnection> {
    // A test that looks from outside sees every tenant's rows.
    let sees_all = if url.starts_with("postgres") {
        "?options[kabar.system]=on"
    } else {
        ""
    };
    connect_plainly(&format!("{url}{sees_all}")).await
}

/// Connects as Kabar itself does, before it has said whose rows it wants to see.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness makes databases; it is no part of the server"
)]
#[expect(
    clippy::disallowed_types,
    reason = "the harness makes databases; it is no part of the server"
)]
pub async fn connect_plainly(url: &str) -> Result<sea_orm::DatabaseConnection> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options)
        .await
        .context("cannot connect to Postgres")
}

/// PATH first, then the newest of Debian's versions.
fn find_programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| folder.join("postgres").is_file()) {
        return Ok(folder);
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("postgres").is_file())
        .collect();
    versions.sort();
    let newest = versions
        .pop()
        .context("there is no PostgreSQL server: run `cargo xtask test`, which installs it")?;
    Ok(newest.1)
}

/// A command that runs as a user Postgres accepts.
fn as_service_user(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = |user: &&&str| users.lines().any(|line| line.split(':').next() == Some(**user));
    let user = SERVICE_USERS.iter().find(known).copied().unwrap_or("nobody");
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program).current_dir("/");
    command
}

fn succeed(mut command: Command, what: &str) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{what}: cannot start {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{what} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Makes an empty cluster; returns a free port and the password.
fn create(folder: &Path, programs: &Path) -> Result<(u16, String)> {
    let password = format!("{:032x}", rand::random::<u128>());
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    // The service user must be able to make its folder here; nobody else reads it, because initdb makes it 0700.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    let password_file = folder.join("password");
    fs::write(&password_file, &password)?;
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o644))?;
    let mut initdb = as_service_user(&programs.join("initdb"));
    initdb.arg("-D").arg(&data).arg("--pwfile").arg(&password_file);
    initdb.args([
        "-U",
        SUPERUSER,
        "--auth=password",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]);
    succeed(initdb, "making a Postgres cluster")?;
    fs::remove_file(&password_file)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    Ok((port, password))
}

fn start(folder: &Path, programs: &Path, port: u16, durable: bool) -> Result<()> {
    let mut settings = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c max_connections=400 \
         -c shared_buffers=128MB"
    );
    if !durable {
        settings.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
    }
    let mut start = as_service_user(&programs.join("pg_ctl"));
    start
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-l")
        .arg(folder.join("data/server.log"));
    start.arg("-o").arg(settings).args(["-w", "-t", "60", "start"]);
    // The server inherits pg_ctl's output; a pipe would stay open for as long as it lives.
    let status = start
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        let log = fs::read_to_string(folder.join("data/server.log")).unwrap_or_default();
        bail!("Postgres does not start: {log}");
    }
    Ok(())
}

/// The port and password of a server that answers.
fn alive(folder: &Path) -> Option<(u16, String)> {
    let state = fs::read_to_string(folder.join("state")).ok()?;
    let (port, password) = state.split_once(' ')?;
    let port = port.parse().ok()?;
    std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    Some((port, password.to_owned()))
}

/// Starts the process that stops the server when no test uses it any more.
fn watch(folder: &Path, programs: &Path) -> Result<()> {
    let pg_ctl = as_service_user(&programs.join("pg_ctl"));
    let words = std::iter::once(pg_ctl.get_program()).chain(pg_ctl.get_args());
    let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let folder = folder.display();
    let script = format!(
        "cd /; while sleep 8; do
           flock -xn '{folder}/in-use.lock' sh -c \"rm -f '{folder}/state'; {} -D '{folder}/data' -m immediate stop >/dev/null 2>&1; rm -rf '{folder}/data'\" && exit
           [ -d '{folder}/data' ] || exit
         done",
        quoted.join(" "),
    );
    let mut watchman = Command::new("setsid");
    watchman.args(["sh", "-c", &script]);
    watchman
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    watchman.spawn().context("cannot start the watchman of Postgres")?;
    Ok(())
}
