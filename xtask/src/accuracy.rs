//! `cargo xtask accuracy`: stages the products and judges what they say of the corpus programs.

use std::ffi::OsString;
use std::path::{self, PathBuf};

use anyhow::Result;
use duct::cmd;

use crate::corpus::TIER;
use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Draws calls that people are to label, and appends them to `corpus/labels`
    #[arg(long, conflicts_with_all = ["untyped", "json"])]
    draw: bool,
    /// The programs to judge: the few of every change, the many and large ones, or both
    #[arg(long, value_name = "TIER", default_value = "1", value_parser = ["1", "2", "all"])]
    tier: String,
    /// Only the programs whose name this regular expression matches
    #[arg(long, value_name = "REGEX")]
    filter: Option<String>,
    /// Lists labelled calls that are untyped or undecided, too
    #[arg(long)]
    untyped: bool,
    /// Writes all findings to this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut words: Vec<OsString> =
        ["run", "--quiet", "--package", "corpus", "--bin", "allocs-accuracy", "--"]
            .map(OsString::from)
            .into();
    words.extend(options.draw.then(|| "--draw".into()));
    words.extend(options.untyped.then(|| "--untyped".into()));
    words.extend(options.filter.iter().flat_map(|filter| ["--filter".into(), filter.into()]));
    if let Some(json) = &options.json {
        words.extend(["--json".into(), path::absolute(json)?.into()]);
    }
    let judges = cmd(cargo::program(), words).dir(cargo::root()?).env(TIER, &options.tier);
    // A draw needs no products.
    let judges = if options.draw { judges } else { judges.env("ALLOCS_STAGE", install::stage()?) };
    judges.run()?;
    Ok(())
}
