//! Runs the matrix: `cargo xtask corpus --matrix` starts it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use corpus::manifest::{Manifest, Program};
use corpus::matrix::cell::Cell;
use corpus::matrix::measure::{self, Measured, Ran};
use corpus::matrix::outcome::Outcome;
use corpus::stage::Stage;
use corpus::watch::Preloads;
use regex_lite::Regex;

#[derive(Parser)]
struct Options {
    /// Only the programs whose name this regular expression matches
    #[arg(long, default_value = "")]
    filter: String,
    /// Only the cells whose name this regular expression matches
    #[arg(long, default_value = "")]
    cells: String,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all cells say the same.
fn run(options: &Options) -> Result<bool> {
    let matrix = Matrix::new(options)?;
    for what in matrix.missing() {
        println!("not run: {what}");
    }
    let outcomes = matrix.outcomes()?;
    let mut is_same = true;
    let mut remarks = Vec::new();
    println!("{:10} {:14} {:>9} {:>9}  verdict", "program", "cell", "typed", "of bytes");
    for ((program, cell), outcome) in &outcomes {
        let (program, cell) = (&matrix.programs[*program].name, &matrix.cells[*cell].name);
        println!("{program:10} {cell:14} {outcome}");
        is_same &= !outcome.is_failure();
        remarks.extend(outcome.remarks().into_iter().map(|remark| format!("{program} {cell}: {remark}")));
    }
    remarks.iter().for_each(|remark| println!("{remark}"));
    Ok(is_same)
}

struct Matrix {
    manifest: Manifest,
    stage: Stage,
    preloads: Preloads,
    programs: Vec<Program>,
    cells: Vec<Cell>,
    baseline: Cell,
}

/// A program and a cell, by their places in the matrix.
type Place = (usize, usize);

impl Matrix {
    fn new(options: &Options) -> Result<Self> {
        let filter = Regex::new(&options.filter).context("the filter is not a regular expression")?;
        let chosen = Regex::new(&options.cells).context("--cells is not a regular expression")?;
        let manifest = Manifest::read()?;
        let programs = manifest.chosen()?.filter(|program| filter.is_match(&program.name));
        let programs: Vec<Program> = programs.cloned().collect();
        let baseline = Cell::all().into_iter().find(Cell::is_baseline).context("there is no baseline")?;
        if let Some(missing) = &baseline.missing {
            bail!("{missing}; the other cells are compared with {}", baseline.name);
        }
        let cells: Vec<Cell> = Cell::all().into_iter().filter(|cell| chosen.is_match(&cell.name)).collect();
        ensure!(!programs.is_empty() && !cells.is_empty(), "there is no such program, or no such cell");
        let stage = Stage::ready()?;
        let preloads = Preloads::ready(&stage)?;
        Ok(Self { manifest, stage, preloads, programs, cells, baseline })
    }

    /// The cells that cannot be run here, and why.
    fn missing(&self) -> impl Iterator<Item = String> {
        self.cells.iter().filter_map(|cell| Some(format!("{}: {}", cell.name, cell.missing.as_ref()?)))
    }

    /// What came of each program in each cell that can be run. Two at a time: a build keeps the processors busy by itself, a workload
    /// only one.
    fn outcomes(&self) -> Result<BTreeMap<Place, Outcome>> {
        let baselines: Vec<OnceLock<Option<Ran>>> = self.programs.iter().map(|_| OnceLock::new()).collect();
        let cells = (0..self.cells.len()).filter(|&cell| self.cells[cell].missing.is_none());
        let cells: Vec<usize> = cells.collect();
        let places =
            (0..self.programs.len()).flat_map(|program| cells.iter().map(move |&cell| (program, cell)));
        let queue = Mutex::new(places);
        let ended = Mutex::new(BTreeMap::new());
        let worker = || {
            loop {
                let Some(place) = queue.lock().map_or(None, |mut queue| queue.next()) else { return };
                let (program, cell) = (&self.programs[place.0], &self.cells[place.1]);
                let baseline =
                    baselines[place.0].get_or_init(|| match self.measure(program, &self.baseline) {
                        Ok(Measured::Ran(ran)) => Some(ran),
                        Ok(Measured::NotBuildable(_)) | Err(_) => None,
                    });
                let outcome = Outcome::of(self.measure(program, cell), baseline.as_ref());
                eprintln!("{} {}: {outcome}", program.name, cell.name);
                if let Ok(mut ended) = ended.lock() {
                    ended.insert(place, outcome);
                }
            }
        };
        thread::scope(|scope| {
            let workers = [scope.spawn(worker), scope.spawn(worker)];
            workers.into_iter().try_for_each(|worker| worker.join().or_else(|_| bail!("a worker panicked")))
        })?;
        Ok(ended.into_inner().unwrap_or_default())
    }

    fn measure(&self, program: &Program, cell: &Cell) -> Result<Measured> {
        measure::measure(&self.manifest, program, cell, &self.stage, &self.preloads)
    }
}
