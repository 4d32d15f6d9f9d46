//! The project's own commands. One match, one file a command; none knows how the products work.

mod accuracy;
mod archive;
mod bench;
mod cargo;
mod corpus;
mod dist;
mod findings;
mod install;
mod matrix;
mod nextest;
mod package_test;
mod repro;
mod table;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the corpus programs with allocscc, runs them under the library, and compares with the snapshots
    Corpus(corpus::Options),
    /// Judges what the library says of the corpus programs by evidence that is not ours
    Accuracy(accuracy::Options),
    /// Runs all tests; arguments go to the test runner
    Test(test::Options),
    /// Packs the built tests and the products for other machines
    Archive(archive::Options),
    /// Measures what the library and allocscc cost
    Bench(bench::Options),
    /// Lays out the products below a prefix
    Install(install::Options),
    /// Makes the tarball, the .deb, their checksums and the list of what is in them
    Dist(dist::Options),
    /// Makes the products twice, in surroundings that differ, and shows where what came out differs
    Repro(repro::Options),
    /// Builds what users install and uses it as they would, in containers and under Nix
    PackageTest(package_test::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Corpus(options) => corpus::run(&options),
        Command::Accuracy(options) => accuracy::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Archive(options) => archive::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Install(options) => install::run(&options),
        Command::Dist(options) => dist::run(&options),
        Command::Repro(options) => repro::run(&options),
        Command::PackageTest(options) => package_test::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
