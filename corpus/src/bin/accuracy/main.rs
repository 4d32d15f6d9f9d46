//! How often the answers are right: `cargo xtask accuracy` runs this.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use corpus::accuracy::draw;
use corpus::manifest::Manifest;

#[derive(Parser)]
struct Arguments {
    /// Draws calls to be labelled, and appends them to `corpus/labels`
    #[arg(long)]
    draw: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let manifest = Manifest::read()?;
    if arguments.draw {
        for program in &manifest.program {
            println!("{:10} {} calls drawn", program.name, draw::draw(&manifest, program)?);
        }
    }
    Ok(())
}
