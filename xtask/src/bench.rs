//! `cargo xtask bench`: Kabar beside the bare client library and Baileys.

use anyhow::{Result, bail};

#[derive(clap::Args, Debug)]
pub struct Options {}

pub fn run(_options: &Options) -> Result<()> {
    bail!("the benchmark is not written yet")
}
