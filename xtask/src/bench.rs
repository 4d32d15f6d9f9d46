//! `cargo xtask bench`: stages the products and runs the measurements of the corpus package.

use anyhow::Result;
use duct::cmd;

use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
    /// Measures only what builds cost
    #[arg(long)]
    builds: bool,
    /// Only the programs whose name this regular expression matches
    #[arg(long, value_name = "REGEX", default_value = "")]
    filter: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stage = install::stage()?;
    let mut words = vec!["run", "--quiet", "--release", "--package", "corpus", "--bin", "allocs-bench", "--"];
    words.extend(options.json.then_some("--json"));
    words.extend(options.builds.then_some("--builds"));
    words.extend(["--filter", &options.filter]);
    cmd(cargo::program(), words).dir(cargo::root()?).env("ALLOCS_STAGE", stage).run()?;
    Ok(())
}
