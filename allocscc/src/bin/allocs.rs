//! `allocs`, the command-line tool beside allocscc.

use std::process::ExitCode;

use allocscc::commands::run::Run;
use allocscc::commands::{completions, meta, parse, sites};
use clap::{CommandFactory, Parser, Subcommand};

/// Looks at programs built with allocscc, and runs them.
#[derive(Parser)]
#[command(name = "allocs", version)]
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
    /// List the allocation sites of a file, and say why each has its type or none.
    Sites(sites::Args),
    /// Say what allocscc reads of preprocessed C, and what it does not.
    Parse(parse::Args),
    /// Print the completions of `allocs` for a shell.
    Completions(completions::Args),
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

fn main() -> ExitCode {
    let result = match Allocs::parse().command {
        Command::Run(run) => run.run(),
        Command::Meta(args) => meta::run(&args),
        Command::Sites(args) => sites::run(&args),
        Command::Parse(args) => parse::run(&args),
        Command::Completions(args) => completions::run(&args, Allocs::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads our output, as `head` does, may have had enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("allocs: {error:#}");
            ExitCode::from(127)
        }
    }
}
