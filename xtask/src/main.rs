//! The commands people type. `cargo run` builds everything and starts Kabar; `cargo xtask test` proves it.
//!
//! One file per verb. This crate links nothing of ours, so that it builds in seconds and works while the rest of the
//! workspace does not compile.

mod bench;
mod command;
mod console;
mod run;
mod schema;
mod settle;
mod terminal;
mod test;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};

/// Kabar: builds the console and the server, and starts them.
#[derive(Parser)]
#[command(name = "kabar", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Options,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds the console and the server, and starts them (what a plain `cargo run` does).
    Run(run::Options),
    /// Installs what the tests need and runs every test and check, or the named parts.
    Test(test::Options),
    /// Writes api/schema.graphql from the server's code.
    Schema(schema::Options),
    /// Checks the house rules that no compiler knows: floors, names, file lengths, the live build.
    Tidy(tidy::Options),
    /// Measures Kabar beside the bare client library and Baileys, and writes docs/benchmarks.md.
    Bench(bench::Options),
    /// Builds the console only.
    Console(console::Options),
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.verb {
        None => run::run(&arguments.run),
        Some(Verb::Run(options)) => run::run(&options),
        Some(Verb::Test(options)) => test::run(&options),
        Some(Verb::Schema(options)) => schema::run(options),
        Some(Verb::Tidy(options)) => tidy::run(&options),
        Some(Verb::Bench(options)) => bench::run(&options),
        Some(Verb::Console(options)) => console::run(options),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            terminal::failed(&format!("{error:#}"));
            std::process::ExitCode::FAILURE
        }
    }
}
