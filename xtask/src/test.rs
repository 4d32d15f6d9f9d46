//! `cargo xtask test`: all tests, built here or taken from an archive.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::nextest::Runner;
use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Uses our own test runner although cargo-nextest is installed
    #[arg(long)]
    own_runner: bool,
    /// Runs the tests that `cargo xtask archive` has packed, with the products in it, and builds nothing
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// Filters and options for the test runner
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (mut words, stage) = match &options.archive {
        None => (vec!["run".into(), "--workspace".into()], install::stage()?),
        Some(archive) => packed(archive)?,
    };
    if env::var_os("CI").is_some() {
        words.extend(["--profile", "ci"].map(OsString::from));
    }
    words.extend(options.arguments.iter().cloned());
    let runner = Runner::ready(options.own_runner)?;
    runner.command(words).dir(cargo::root()?).env("ALLOCS_STAGE", stage).run()?;
    Ok(())
}

/// The command that unpacks an archive and runs its tests in this checkout, and where the products are then.
fn packed(archive: &Path) -> Result<(Vec<OsString>, PathBuf)> {
    let archive = archive.canonicalize().with_context(|| format!("cannot find {}", archive.display()))?;
    let place = cargo::target()?.join("unpacked");
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let words = [
        "run".into(),
        "--archive-file".into(),
        archive.into(),
        "--extract-to".into(),
        place.clone().into(),
        "--extract-overwrite".into(),
        "--workspace-remap".into(),
        cargo::root()?.into(),
    ];
    Ok((words.into(), place.join("target/stage")))
}
