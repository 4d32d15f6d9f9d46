//! `cargo xtask bench`: stages the products and runs the measurements of the corpus package.

use anyhow::Result;

use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stage = install::stage()?;
    let format = if options.json { "json" } else { "table" };
    cargo::cargo([
        "run",
        "--quiet",
        "--release",
        "--package",
        "corpus",
        "--bin",
        "allocs-bench",
        "--",
        format,
    ])?
    .env("ALLOCS_STAGE", stage)
    .run()?;
    Ok(())
}
