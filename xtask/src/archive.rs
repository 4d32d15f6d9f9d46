//! `cargo xtask archive`: packs the built tests and the products for other machines.

use std::ffi::OsString;
use std::path::{PathBuf, absolute};

use anyhow::Result;

use crate::nextest::Runner;
use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The archive to write, which ends in `.tar.zst`
    file: PathBuf,
    /// Uses our own test runner although cargo-nextest is installed
    #[arg(long)]
    own_runner: bool,
    /// Filtersets and options for the test runner
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    install::stage()?;
    let file = absolute(&options.file)?;
    let words = ["archive".into(), "--workspace".into(), "--archive-file".into(), file.into()];
    let words = words.into_iter().chain(options.arguments.iter().cloned());
    Runner::ready(options.own_runner)?.command(words).dir(cargo::root()?).run()?;
    Ok(())
}
