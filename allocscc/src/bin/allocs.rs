//! `allocs`, the command-line tool beside allocscc.

use std::process::ExitCode;

use allocscc::commands::meta;
use allocscc::commands::run::Run;
use clap::{Parser, Subcommand};

/// Looks at programs built with allocscc, and runs them.
#[derive(Parser)]
#[command(version)]
struct Allocs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program with the run-time library loaded.
    Run(Run),
    /// Print what the metadata of a file says.
    Meta(meta::Args),
}

fn main() -> ExitCode {
    let result = match Allocs::parse().command {
        Command::Run(run) => run.run(),
        Command::Meta(args) => meta::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocs: {error:#}");
            ExitCode::from(127)
        }
    }
}
