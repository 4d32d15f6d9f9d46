//! What the library and allocscc cost. Gates nothing: it is how a change is judged.
//!
//! [`pair`] counts the instructions of a malloc/free pair, [`programs`] measures the corpus, [`startup`] an empty
//! process, [`queries`] the latency of answers; [`figures`] prints them.

mod figures;
mod pair;
mod programs;
mod queries;
mod startup;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use corpus::manifest::Manifest;
use corpus::stage::Stage;
use corpus::watch::Preloads;

use figures::Figures;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let as_json = match env::args().nth(1).as_deref() {
        None | Some("table") => false,
        Some("json") => true,
        Some(other) => bail!("{other} is neither table nor json"),
    };
    let stage = Stage::ready()?;
    let preloads = Preloads::ready(&stage)?;
    let programs = Manifest::read()?;
    let programs = programs
        .chosen()?
        .map(|program| programs::measure(&programs, program, &stage, &preloads))
        .collect::<Result<Vec<_>>>()?;
    let figures = Figures {
        pair_instructions: pair::extra_instructions(&stage, &preloads)?,
        startup_microseconds: startup::extra_microseconds(&stage)?,
        query_nanoseconds: queries::latencies(&stage)?,
        programs,
    };
    if as_json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{figures}");
    }
    Ok(())
}
