//! The commands that people type.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use api::{
    app::{self, App, open_store},
    audit::Actor,
    clock::Clock,
    config::{Config, Sources, default_file},
    logging, schema,
    secret::Secret,
    telemetry::Telemetry,
    tenants::{self, Links, NewOperator, Passwords},
};
use clap::{Parser, Subcommand};
use tokio::{net::TcpListener, signal};

/// Kabar: a self-hosted, multi-tenant WhatsApp platform.
#[derive(Parser)]
#[command(name = "kabar", version, arg_required_else_help = true)]
struct Cli {
    /// The configuration file; ./kabar.toml is read when there is one. `kabar config` shows every setting.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database up to date and serve.
    Serve,
    /// Bring the database up to date.
    Migrate,
    /// Print the GraphQL schema.
    Schema,
    /// Print every setting with its default.
    Config,
    /// Work on accounts from the server's own machine.
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Subcommand)]
enum Admin {
    /// Make a person who runs the platform.
    CreateOperator {
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// The password; made at random and printed when left out. Others on this machine can see it while this runs:
        /// KABAR_OPERATOR_PASSWORD is safer.
        #[arg(long)]
        password: Option<String>,
        /// How the person is called.
        #[arg(long)]
        name: Option<String>,
    },
    /// Make a new key for what is stored encrypted, and encrypt everything anew under it. Servers may run meanwhile.
    /// Interrupted, it goes on where it was when it is run again.
    RotateEncryptionKey,
    /// Make a new key that signs access tokens. Nobody is logged out: tokens of the old one last until they end.
    RotateSigningKey,
    /// Print a link by which somebody chooses a new password, good for 24 hours and for once.
    ResetPassword {
        /// The address to log in with.
        email: String,
    },
    /// Turn somebody's second factor off: for people who lost their app and their recovery codes. Logins ask for the
    /// password alone until they set up a new one.
    ResetSecondFactor {
        /// The address to log in with.
        email: String,
    },
}

/// Runs what was typed.
pub fn run() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::Schema => {
            print!("{}", schema::builder().finish().sdl());
            return Ok(());
        }
        Command::Config => {
            print!("{}", default_file());
            return Ok(());
        }
        _ => {}
    }
    let config = Config::load(&Sources::of_process(cli.config))?;
    let telemetry = match cli.command {
        Command::Serve => Telemetry::prepare(&config.telemetry)?,
        _ => None,
    };
    logging::start(&config.log, telemetry.as_ref().map(Telemetry::layer));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads to run on")?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => {
                let served = serve(config).await;
                if let Some(telemetry) = telemetry {
                    telemetry.stop().await;
                }
                served
            }
            Command::Migrate => migrate(&config).await,
            Command::Admin(Admin::CreateOperator { email, password, name }) => {
                create_operator(config, email, password, name).await
            }
            Command::Admin(Admin::RotateEncryptionKey) => rotate_encryption_key(&config).await,
            Command::Admin(Admin::RotateSigningKey) => rotate_signing_key(&config).await,
            Command::Admin(Admin::ResetPassword { email }) => reset_password(&config, &email).await,
            Command::Admin(Admin::ResetSecondFactor { email }) => reset_second_factor(&config, &email).await,
            Command::Schema | Command::Config => Ok(()),
        }
    })
}

async fn serve(config: Config) -> Result<()> {
    let address = config.server.listen;
    // First of all: somebody whose port is taken should not wait for a migration.
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let bound = listener.local_addr().context("the listener has no address")?;
    let password_was_given = config.first_run.operator_password.is_some();
    let app = App::start(config).await?;
    if let Some(operator) = app.first_operator() {
        introduce(operator, password_was_given);
    }
    #[cfg(feature = "sandbox")]
    if let Some(url) = app.sandbox_url() {
        println!("Sandbox network: {url}");
    }
    println!("Kabar is ready: http://{bound}");
    app.serve(listener, stop_signal()).await;
    Ok(())
}

/// Prints the first login. A password that was made at random is shown here and nowhere else.
fn introduce(operator: &NewOperator, password_was_given: bool) {
    println!();
    println!("  Log in with");
    println!("    Email     {}", operator.email);
    match &operator.generated_password {
        Some(password) => println!("    Password  {}", password.expose()),
        None if password_was_given => println!("    Password  as set in the configuration"),
        None => {}
    }
    if operator.generated_password.is_some() {
        println!("  The password is shown this once.");
    }
    println!();
}

async fn migrate(config: &Config) -> Result<()> {
    let store = open_store(&config.database).await?;
    store
        .migrate()
        .await
        .context("the database can't be brought up to date")?;
    store.close().await?;
    println!("The database is up to date.");
    Ok(())
}

async fn create_operator(config: Config, email: String, password: Option<String>, name: Option<String>) -> Result<()> {
    let mut first_run = config.first_run;
    first_run.operator_email = email;
    if let Some(password) = password {
        first_run.operator_password = Some(Secret::new(password));
    }
    if let Some(name) = name {
        first_run.operator_name = name;
    }
    let password_was_given = first_run.operator_password.is_some();
    let store = open_store(&config.database).await?;
    store
        .migrate()
        .await
        .context("the database can't be brought up to date")?;
    let passwords = Passwords::new(config.passwords)?;
    let operator = tenants::create_operator(&store, &Clock::system(), &passwords, &first_run).await?;
    introduce(&operator, password_was_given);
    store.close().await?;
    Ok(())
}

async fn rotate_encryption_key(config: &Config) -> Result<()> {
    println!("Encrypting everything anew. This may be interrupted and run again.");
    let rotated = app::rotate_encryption_key(config, &Clock::system()).await?;
    if rotated.went_on {
        println!("It went on with a rotation that was interrupted.");
    }
    println!("{} values were encrypted under key {}.", rotated.values, rotated.number);
    println!("previous_secret_keys can be removed from the configuration when every node has the current one.");
    Ok(())
}

async fn rotate_signing_key(config: &Config) -> Result<()> {
    let active_at = app::rotate_signing_key(config, &Clock::system()).await?;
    println!(
        "Access tokens are signed by a new key from {} on.",
        active_at.to_rfc3339()
    );
    Ok(())
}

async fn reset_password(config: &Config, email: &str) -> Result<()> {
    let store = open_store(&config.database).await?;
    let here = format!("http://{}", config.server.listen);
    let links = Links::new(Some(config.server.public_url.as_deref().unwrap_or(&here)));
    let made = tenants::password_reset_link(&store, &Clock::system(), &links, email, &Actor::system()).await?;
    store.close().await?;
    let Some(made) = made else {
        bail!("nobody logs in with the address {email}");
    };
    println!("{}", made.link);
    Ok(())
}

async fn reset_second_factor(config: &Config, email: &str) -> Result<()> {
    let store = open_store(&config.database).await?;
    let done = tenants::reset_second_factor(&store, &Clock::system(), email).await?;
    store.close().await?;
    if !done {
        bail!("nobody with the address {email} has a second factor");
    }
    println!("The second factor of {email} is off.");
    Ok(())
}

/// Ends when the process is asked to stop.
async fn stop_signal() {
    let interrupt = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    tracing::info!("stopping");
}
