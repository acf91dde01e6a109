//! `cargo run`: builds the console and the server, and becomes the server.
//!
//! A console that can't be built never stands in the way of the API: Kabar starts and its front page says why.

use std::path::Path;

use anyhow::Result;

use crate::terminal::{self, Step};
use crate::workspace::Workspace;
use crate::{command, console, settle};

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Build without the sandbox: devices link to the real WhatsApp, and every certificate is verified.
    #[arg(long)]
    live: bool,
    /// Build optimised, with the console embedded in the binary.
    #[arg(long)]
    release: bool,
    /// Keep everything in this Postgres database instead of an SQLite file.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Address and port of the web server [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Folder of the SQLite database, media and keys [default: data].
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Build everything and stop before starting the server.
    #[arg(long)]
    build_only: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let web_folder = console::build_or_explain(&workspace, options.release, 1, 2)?;

    let network = if options.live {
        "for the real WhatsApp"
    } else {
        "with the sandbox network"
    };
    let step = Step::begin(2, 2, &format!("Server, {network}"));
    if !workspace.binary(profile_folder(options), "kabar").is_file() {
        terminal::note("The first build compiles about 500 libraries: 4 to 5 minutes on two cores.");
    }
    build_server(&workspace, options, &web_folder)?;
    step.done("built");
    if options.build_only {
        return Ok(());
    }
    serve(&workspace, options, &web_folder)
}

fn profile_folder(options: &Options) -> &'static str {
    if options.release { "release" } else { "debug" }
}

fn build_server(workspace: &Workspace, options: &Options, web_folder: &Path) -> Result<()> {
    let mut build = command::cargo(&workspace.root).args(["build", "-p", "api", "--bin", "kabar"]);
    if options.live {
        build = build.arg("--no-default-features");
    }
    if options.release {
        build = build.arg("--release").env("KABAR_WEB_DIR", web_folder);
    }
    build.run()?;
    settle::settle(workspace, profile_folder(options));
    Ok(())
}

fn serve(workspace: &Workspace, options: &Options, web_folder: &Path) -> Result<()> {
    let binary = workspace.binary(profile_folder(options), "kabar");
    let mut serve = command::Command::new(binary, &std::env::current_dir()?).arg("serve");
    serve = serve.env("KABAR_WEB_DIR", web_folder);
    for (name, value) in [
        ("KABAR_DATABASE_URL", &options.postgres),
        ("KABAR_LISTEN", &options.listen),
        ("KABAR_DATA_DIR", &options.data_dir),
    ] {
        if let Some(value) = value {
            serve = serve.env(name, value);
        }
    }
    eprintln!();
    serve.replace()
}
