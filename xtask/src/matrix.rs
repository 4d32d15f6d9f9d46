//! `cargo xtask corpus --matrix`: stages the products and runs the matrix of the corpus package.

use anyhow::Result;
use duct::cmd;

use crate::corpus::TIER;
use crate::{cargo, install};

/// Runs the cells that `cells` matches of the programs of a tier that `filter` does.
pub(crate) fn run(tier: &str, filter: &str, cells: &str, offline: bool) -> Result<()> {
    let arguments = ["run", "--quiet", "--package", "corpus", "--bin", "allocs-matrix", "--"];
    let chosen = ["--filter", filter, "--cells", cells];
    cmd(cargo::program(), arguments.into_iter().chain(chosen))
        .dir(cargo::root()?)
        .env("ALLOCS_STAGE", install::stage()?)
        .env(TIER, tier)
        .env("ALLOCS_CORPUS_OFFLINE", if offline { "1" } else { "0" })
        .run()?;
    Ok(())
}
