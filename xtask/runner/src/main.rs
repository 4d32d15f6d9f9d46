//! Runs the tests as `cargo nextest` does, for machines that do not have it: a front end of the same library.

mod archive;
mod built;
mod cargo;
mod list;
mod run;
mod selected;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Its options are those of `cargo nextest` that this project uses, with the same names and meanings.
#[derive(Parser)]
#[command(name = "allocs-test-runner")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the tests
    Run(run::Options),
    /// Lists the tests
    List(list::Options),
    /// Packs the built tests for another machine
    Archive(archive::Options),
}

/// A failure that has an exit code of its own, which is nextest's.
#[derive(Debug)]
struct Failure {
    code: i32,
    message: &'static str,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Failure {}

fn main() -> ExitCode {
    let done: Result<()> = match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::List(options) => list::run(&options),
        Command::Archive(options) => archive::run(&options),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    let code = error.downcast_ref().map_or(1, |failure: &Failure| failure.code);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
