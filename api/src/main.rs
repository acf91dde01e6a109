//! The `kabar` program: its command line, and the signals that stop it.

// The futures of the GraphQL server's fields nest deeper than the compiler's default of 128 when it optimises.
#![recursion_limit = "256"]

mod cli;

use std::process::ExitCode;

/// A server that allocates on every thread and frees on others spends less time in this one than in the system's, and
/// SQLite's pages come from it too. Without huge pages: each of SQLite's threads would take two megabytes for a few kilobytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("kabar: another TLS provider was installed first");
        return ExitCode::FAILURE;
    }
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kabar: {error:#}");
            ExitCode::FAILURE
        }
    }
}
