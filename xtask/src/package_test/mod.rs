//! `cargo xtask package-test`: builds what users install and uses it as they would, in real containers and under real Nix.

mod base;
mod chroot;
mod docker;
mod engine;
mod host;
mod mounts;
mod nix;
mod readme;
mod report;
mod runner;
mod spread;
mod tools;

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::cargo;
use report::Report;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the smoke part: one check of each way to install
    #[arg(long)]
    smoke: bool,
    /// Only these ways to install
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Way>,
    /// Keeps containers' data, stores and working directories
    #[arg(long)]
    keep: bool,
}

/// A way to get the product.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// The tarball and the .deb of `cargo xtask dist`
    Host,
    /// The Docker image
    Docker,
    /// The Nix flake
    Nix,
    /// The tests and the corpus, with our own test runner and spread over machines
    Runner,
}

/// What every part needs to know.
struct Context {
    smoke: bool,
    keep: bool,
    /// A directory of this run, below cargo's target directory.
    work: PathBuf,
}

/// One file a way: it adds its checks to the report. An error is one that leaves no check to be made.
type Check = fn(&Context, &mut Report) -> Result<()>;

pub(crate) fn run(options: &Options) -> Result<()> {
    let work = cargo::target()?.join("package-test");
    std::fs::create_dir_all(&work)?;
    let context = Context { smoke: options.smoke, keep: options.keep, work };
    let wanted = |way| options.only.is_empty() || options.only.contains(&way);
    let mut report = Report::default();
    for (way, check) in [
        (Way::Host, host::check as Check),
        (Way::Docker, docker::check),
        (Way::Nix, nix::check),
        (Way::Runner, runner::check),
    ] {
        if wanted(way) {
            check(&context, &mut report)?;
        }
    }
    let failed = report.print();
    ensure!(failed == 0, "{failed} checks failed");
    Ok(())
}
