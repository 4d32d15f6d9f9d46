//! Cargo as a child: what is in the workspace, and its test executables.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result};
use duct::{Expression, cmd};
use guppy::graph::PackageGraph;
use nextest_metadata::NextestExitCode;
use nextest_runner::RustcCli;
use nextest_runner::list::{BinaryList, BinaryListBuilder};
use nextest_runner::platform::{BuildPlatforms, HostPlatform, PlatformLibdir};

use crate::Failure;

/// What Cargo is to build.
#[derive(clap::Args)]
pub(crate) struct Build {
    /// Builds the tests of all packages, also where the current directory is one's
    #[arg(long)]
    workspace: bool,
    /// Builds only the tests of these packages
    #[arg(short, long, value_name = "NAME")]
    package: Vec<String>,
    /// Builds only the tests of the library
    #[arg(long)]
    lib: bool,
    /// Builds only the tests of the programs
    #[arg(long)]
    bins: bool,
    /// Builds only these integration tests
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    /// Builds with optimisation
    #[arg(long)]
    release: bool,
}

impl Build {
    fn words(&self) -> Vec<&str> {
        let switches = [
            (self.workspace, "--workspace"),
            (self.lib, "--lib"),
            (self.bins, "--bins"),
            (self.release, "--release"),
        ];
        let set = switches.into_iter().filter_map(|(set, word)| set.then_some(word));
        let packages = self.package.iter().flat_map(|name| ["--package", name]);
        let tests = self.test.iter().flat_map(|name| ["--test", name]);
        set.chain(packages).chain(tests).collect()
    }
}

/// The description of the workspace, as JSON.
pub(crate) fn metadata(platforms: &BuildPlatforms) -> Result<String> {
    let platform = platforms.to_cargo_target_arg()?.to_string();
    cargo(&["metadata", "--format-version=1", "--all-features", "--filter-platform", &platform])
        .read()
        .context("cargo cannot describe the workspace")
}

/// The machine that builds the tests and runs them.
pub(crate) fn platforms() -> Result<BuildPlatforms> {
    let libraries = PlatformLibdir::from_rustc_stdout(RustcCli::print_host_libdir().read());
    Ok(BuildPlatforms { host: HostPlatform::detect(libraries)?, target: None })
}

/// Builds the test executables and lists them.
pub(crate) fn binaries(
    options: &Build,
    graph: &PackageGraph,
    platforms: BuildPlatforms,
) -> Result<BinaryList> {
    let command = ["test", "--no-run", "--message-format", "json-render-diagnostics"];
    let messages = cargo(&[&command[..], &options.words()].concat()).unchecked().reader()?;
    let mut list = BinaryListBuilder::new(graph, platforms);
    for line in BufReader::new(&messages).lines() {
        list.process_message_line(&line?)?;
    }
    let ended = messages.try_wait()?.context("cargo has closed its output but did not end")?;
    if !ended.status.success() {
        return Err(Failure { code: NextestExitCode::BUILD_FAILED, message: "the tests do not build" }.into());
    }
    Ok(list.finish())
}

fn cargo(arguments: &[&str]) -> Expression {
    cmd(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")), arguments)
}
