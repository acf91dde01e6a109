//! The network as a program: `kabar-sandbox --listen 127.0.0.1:7700 --data-dir sandbox-data`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use sandbox::{Network, NetworkConfig};

/// A WhatsApp network on this machine, with simulated phones.
#[derive(Parser)]
struct Arguments {
    /// A loopback address; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
    /// Keep phones, links and sessions here, so that they survive a restart.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Address accounts by hidden identity (`@lid`) instead of by number.
    #[arg(long)]
    hidden_addressing: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let network = Network::start(NetworkConfig {
        listen: arguments.listen,
        data_dir: arguments.data_dir,
    })
    .await?;
    network.set_hidden_addressing(arguments.hidden_addressing);
    let urls = format!(
        "websocket {}\nmedia     http://{address}/mms/\ncontrol   http://{address}/control/\n",
        network.url(),
        address = network.address(),
    );
    // Whoever started this may have stopped reading; the network serves all the same.
    let _ = std::io::stdout().write_all(urls.as_bytes());

    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("cannot listen for the signal to stop")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for ctrl-c")?,
        _ = terminate.recv() => {}
    }
    network.shutdown().await;
    Ok(())
}
