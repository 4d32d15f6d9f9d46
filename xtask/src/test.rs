//! `cargo xtask test`: all tests, by nextest where it is installed.

use std::env;

use anyhow::Result;
use duct::cmd;

use crate::{cargo, install};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Filters and options for the test runner
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stage = install::stage()?;
    let nextest = cmd!("cargo", "nextest", "--version").stdout_null().stderr_null().run().is_ok();
    let mut command =
        if nextest { vec!["nextest", "run", "--workspace"] } else { vec!["test", "--workspace"] };
    if nextest && env::var_os("CI").is_some() {
        command.extend(["--profile", "ci"]);
    }
    command.extend(options.arguments.iter().map(String::as_str));
    cmd("cargo", command).dir(cargo::root()?).env("ALLOCS_STAGE", stage).run()?;
    Ok(())
}
