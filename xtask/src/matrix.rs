//! `cargo xtask corpus --matrix`: stages the products and runs the matrix of the corpus package.

use anyhow::Result;
use duct::cmd;

use crate::{cargo, install};

/// Runs the cells that `cells` matches of the programs that `filter` does.
pub(crate) fn run(filter: &str, cells: &str, offline: bool) -> Result<()> {
    let arguments = ["run", "--quiet", "--package", "corpus", "--bin", "allocs-matrix", "--"];
    let chosen = ["--filter", filter, "--cells", cells];
    cmd(cargo::program(), arguments.into_iter().chain(chosen))
        .dir(cargo::root()?)
        .env("ALLOCS_STAGE", install::stage()?)
        .env("ALLOCS_CORPUS_OFFLINE", if offline { "1" } else { "0" })
        .run()?;
    Ok(())
}
