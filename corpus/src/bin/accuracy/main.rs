//! How often the answers are right: `cargo xtask accuracy` runs this.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use corpus::accuracy::draw;
use corpus::accuracy::join::Join;
use corpus::accuracy::labels::Labels;
use corpus::accuracy::metadata::Metadata;
use corpus::accuracy::quotes;
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
    let programs: Vec<&Program> = manifest.chosen()?.filter(|p| filter.is_match(&p.name)).collect();
    if arguments.draw {
        for program in programs {
            println!("{:10} {} calls drawn", program.name, draw::draw(&manifest, program)?);
        }
        return Ok(());
    }
    for program in &programs {
        quotes::check(&manifest, program).with_context(|| format!("the labels of {}", program.name))?;
    }
    let stage = Stage::ready()?;
    let preloads = Preloads::ready(&stage)?;
    let reports = all_judged(&manifest, &programs, &stage, &preloads)?;
    print(&reports, arguments.untyped);
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&reports.iter().map(Report::json).collect::<Vec<_>>())?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    pass(&reports)
}

/// Judges programs, one on each core.
fn all_judged(
    manifest: &Manifest,
    programs: &[&Program],
    stage: &Stage,
    preloads: &Preloads,
) -> Result<Vec<Report>> {
    let queue = Mutex::new(programs.iter().enumerate());
    let worker = || -> Result<Vec<(usize, Report)>> {
        let mut reports = Vec::new();
        loop {
            let Some((index, program)) = queue.lock().map_or(None, |mut queue| queue.next()) else {
                return Ok(reports);
            };
            let report = judged(manifest, program, stage, preloads);
            reports.push((index, report.with_context(|| program.name.clone())?));
        }
    };
    let mut reports = thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
        let joined =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")));
        Ok::<_, anyhow::Error>(joined.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>())
    })?;
    reports.sort_by_key(|(index, _)| *index);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
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
    for step in workload.run(Mode { library: true, watch: Watch::Tree })? {
        let Seen::Tree(addresses, disagreements) = step.seen else { bail!("the probe was preloaded") };
        report.tree_addresses += addresses;
        report.tree_disagreements += disagreements;
        if disagreements > 0 {
            eprintln!("{}: {}", program.name, String::from_utf8_lossy(&step.outcome.stderr));
        }
    }
    Ok(report)
}

fn print(reports: &[Report], with_untyped: bool) {
    for details in reports.iter().map(|report| report.details(with_untyped)) {
        println!("{details}\n");
    }
    let all = Report::of_all(reports);
    println!("{}", Report::head());
    reports.iter().chain([&all]).flat_map(Report::rows).for_each(|row| println!("{row}"));
    println!("\n{}", Report::pointer_head());
    reports.iter().chain([&all]).for_each(|report| println!("{}", report.pointer_row()));
    println!("\n{}", Report::tree_head());
    reports.iter().chain([&all]).for_each(|report| println!("{}", report.tree_row()));
}

/// No labelled call is wrong, the pointers are consistent, and the tree of allocations is what the kernel and the dynamic linker
/// say. The share is that of all programs: some have few pointers.
fn pass(reports: &[Report]) -> Result<()> {
    let all = Report::of_all(reports);
    let wrong = all.wrong().count();
    ensure!(wrong == 0, "{wrong} claims about labelled calls are wrong");
    let share = all.consistent().unwrap_or(1.0);
    let disagreements = all.tree_disagreements;
    ensure!(disagreements == 0, "the tree of allocations disagrees {disagreements} times with what is there");
    ensure!(share >= CONSISTENT_BAR, "only {:.3} % of the typed pointers are consistent", 100.0 * share);
    Ok(())
}
