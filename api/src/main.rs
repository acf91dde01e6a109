//! The `kabar` program: its command line, and the signals that stop it.

mod cli;

use std::process::ExitCode;

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
