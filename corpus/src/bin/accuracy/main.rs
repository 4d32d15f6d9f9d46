//! How often the answers are right: `cargo xtask accuracy` runs this.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use corpus::accuracy::draw;
use corpus::accuracy::join::Join;
use corpus::accuracy::labels::Labels;
use corpus::accuracy::metadata::Metadata;
use corpus::accuracy::report::{CONSISTENT_BAR, Report};
use corpus::accuracy::sources::Text;
use corpus::build::{self, Compiler, Variant};
use corpus::manifest::{Manifest, Program};
use corpus::stage::Stage;
use corpus::watch::{Preloads, Seen, Watch};
use corpus::workload::{Mode, Workload};
use regex_lite::Regex;

#[derive(Parser)]
struct Arguments {
    /// Draws calls to be labelled, and appends them to `corpus/labels`
    #[arg(long)]
    draw: bool,
    /// Only the programs whose name this regular expression matches
    #[arg(long, default_value = "")]
    filter: String,
    /// Lists labelled calls that are untyped or undecided, too
    #[arg(long)]
    untyped: bool,
    /// Writes all findings to this file, too
    #[arg(long)]
    json: Option<PathBuf>,
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
    let filter = Regex::new(&arguments.filter).context("the filter is not a regular expression")?;
    let programs: Vec<&Program> = manifest.program.iter().filter(|p| filter.is_match(&p.name)).collect();
    if arguments.draw {
        for program in programs {
            println!("{:10} {} calls drawn", program.name, draw::draw(&manifest, program)?);
        }
        return Ok(());
    }
    let stage = Stage::ready()?;
    let preloads = Preloads::ready(&stage)?;
    let judged = |program: &&Program| {
        judged(&manifest, program, &stage, &preloads).with_context(|| program.name.clone())
    };
    let reports: Vec<Report> = programs.iter().map(judged).collect::<Result<_>>()?;
    print(&reports, arguments.untyped);
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&reports.iter().map(Report::json).collect::<Vec<_>>())?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    pass(&reports)
}

/// Judges one program.
fn judged(manifest: &Manifest, program: &Program, stage: &Stage, preloads: &Preloads) -> Result<Report> {
    eprintln!("judging {}", program.name);
    let executable =
        build::build(manifest, program, Compiler::Allocscc, &Variant::default(), stage)?.executable();
    let metadata = Metadata::read(stage, &executable)?;
    let labels = Labels::read(&program.name)?;
    let mut report = Report { program: program.name.clone(), drawn: labels.call.len(), ..Report::default() };
    let text = if labels.are_filled_in() { Text::read(manifest, program)? } else { Text::default() };
    let join = Join::new(&labels, &text, &metadata)?;
    report.calls = join.calls();
    let workload = Workload::new(program, &executable, preloads)?;
    for step in workload.run(Mode { library: true, watch: Watch::Census })? {
        let census = step.seen.census().context("a census was taken")?;
        report.allocations += census.summary.allocations;
        report.bytes += census.summary.bytes;
        report.census.extend(join.census(census));
    }
    for step in workload.run(Mode { library: true, watch: Watch::Pointers })? {
        let Seen::Pointers(seen) = &step.seen else { bail!("the probe was preloaded") };
        report.pointers.add(seen, &metadata)?;
    }
    Ok(report)
}

fn print(reports: &[Report], with_untyped: bool) {
    for details in reports.iter().map(|report| report.details(with_untyped)) {
        println!("{details}\n");
    }
    println!("{}", Report::head());
    reports.iter().flat_map(Report::rows).for_each(|row| println!("{row}"));
    println!("\n{}", Report::pointer_head());
    reports.iter().for_each(|report| println!("{}", report.pointer_row()));
}

/// No labelled call is wrong, and the pointers of each program are consistent.
fn pass(reports: &[Report]) -> Result<()> {
    let wrong: usize = reports.iter().map(|report| report.wrong().count()).sum();
    let is_below = |report: &&Report| report.consistent().is_some_and(|share| share < CONSISTENT_BAR);
    let below: Vec<&str> = reports.iter().filter(is_below).map(|report| report.program.as_str()).collect();
    ensure!(wrong == 0, "{wrong} claims about labelled calls are wrong");
    ensure!(below.is_empty(), "too many pointers are inconsistent in {}", below.join(", "));
    Ok(())
}
