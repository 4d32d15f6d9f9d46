//! What the library and allocscc cost. Gates nothing: it is how a change is judged.
//!
//! [`pair`] counts the instructions of a malloc/free pair, [`programs`] measures the corpus, [`cost`] its builds, [`startup`] an empty
//! process, [`queries`] the latency of answers; [`figures`] prints them.

mod figures;
mod pair;
mod programs;
mod queries;
mod startup;

use std::fmt::Display;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use corpus::build::cost;
use corpus::manifest::{Manifest, Program};
use corpus::stage::Stage;
use corpus::watch::Preloads;
use regex_lite::Regex;
use serde::Serialize;

use figures::{Build, Builds, Figures};

#[derive(Parser)]
struct Arguments {
    /// Prints the figures as JSON
    #[arg(long)]
    json: bool,
    /// Measures builds only
    #[arg(long)]
    builds: bool,
    /// Only the programs whose name this regular expression matches
    #[arg(long, default_value = "")]
    filter: String,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let stage = Stage::ready()?;
    let manifest = Manifest::read()?;
    let filter = Regex::new(&arguments.filter).context("the filter is not a regular expression")?;
    let chosen: Vec<&Program> = manifest.chosen()?.filter(|program| filter.is_match(&program.name)).collect();
    let builds = || chosen.iter().map(|program| build(&manifest, program, &stage)).collect::<Result<_>>();
    if arguments.builds {
        return print(&Builds(builds()?), arguments.json);
    }
    let preloads = Preloads::ready(&stage)?;
    let programs = chosen
        .iter()
        .map(|program| programs::measure(&manifest, program, &stage, &preloads))
        .collect::<Result<Vec<_>>>()?;
    let figures = Figures {
        pair_instructions: pair::extra_instructions(&stage, &preloads)?,
        startup_microseconds: startup::extra_microseconds(&stage)?,
        query_nanoseconds: queries::latencies(&stage)?,
        programs,
        builds: Builds(builds()?),
    };
    print(&figures, arguments.json)
}

fn build(manifest: &Manifest, program: &Program, stage: &Stage) -> Result<Build> {
    eprintln!("building {}", program.name);
    Ok(Build { name: program.name.clone(), cost: cost::of(manifest, program, stage)? })
}

fn print<F: Serialize + Display>(figures: &F, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{figures}");
    }
    Ok(())
}
