//! `cargo xtask accuracy`: stages the products and judges what they say of the corpus programs.

use std::ffi::OsString;

use anyhow::Result;
use duct::cmd;

use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Draws calls that people are to label, and appends them to `corpus/labels`
    #[arg(long)]
    draw: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut words: Vec<OsString> =
        ["run", "--quiet", "--package", "corpus", "--bin", "allocs-accuracy", "--"]
            .map(OsString::from)
            .into();
    if options.draw {
        words.push("--draw".into());
        cmd(cargo::program(), words).dir(cargo::root()?).run()?;
        return Ok(());
    }
    cmd(cargo::program(), words).dir(cargo::root()?).env("ALLOCS_STAGE", install::stage()?).run()?;
    Ok(())
}
