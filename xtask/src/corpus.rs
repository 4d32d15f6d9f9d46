//! `cargo xtask corpus`: runs the corpus tests, shows how far they are, and prints a table.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use regex_lite::Regex;

use crate::findings::{Findings, Part};
use crate::{cargo, findings, install, matrix, table};

/// Names the tiers to the test executable.
pub(crate) const TIER: &str = "ALLOCS_CORPUS_TIER";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Accepts what is new in the snapshots
    #[arg(long)]
    bless: bool,
    /// The programs to run: the few of every change, the many and large ones, or both
    #[arg(long, value_name = "TIER", default_value = "1", value_parser = ["1", "2", "all"])]
    tier: String,
    /// Only the programs whose name this regular expression matches
    #[arg(long, value_name = "REGEX", default_value = "")]
    filter: String,
    /// Uses no network
    #[arg(long)]
    offline: bool,
    /// Keeps the working directories
    #[arg(long)]
    keep: bool,
    /// Only part N of M, counted from 1
    #[arg(long, value_name = "N/M", default_value = "1/1")]
    partition: Part,
    /// Writes the results to this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compares what every compiler and optimisation gives instead, without snapshots
    #[arg(long, conflicts_with_all = ["bless", "keep", "partition", "json"])]
    matrix: bool,
    /// Only the cells of the matrix whose name, such as `clang-14 -O2`, this regular expression matches
    #[arg(long, value_name = "REGEX", default_value = "", requires = "matrix")]
    cells: String,
    /// Runs nothing: shows the results of all parts, which other machines have written with --json
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["bless", "tier", "filter", "offline", "keep", "partition", "matrix"])]
    merge: Vec<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.matrix {
        return matrix::run(&options.tier, &options.filter, &options.cells, options.offline);
    }
    let findings =
        if options.merge.is_empty() { measured(options)? } else { Findings::merge(&options.merge)? };
    table::print(&findings)?;
    if let Some(file) = &options.json {
        findings.write(file)?;
    }
    let failures = findings.failures();
    for (program, failure) in &failures {
        eprintln!("{program}: {failure}");
    }
    ensure!(failures.is_empty(), "{} of {} programs failed", failures.len(), findings.results.len());
    Ok(())
}

/// Runs the programs and collects what their tests find.
fn measured(options: &Options) -> Result<Findings> {
    let stage = install::stage()?;
    let harness = harness()?;
    let programs = chosen(&harness, options)?;
    let part = options.partition.of(&programs);
    let bars = MultiProgress::new();
    let all = bars.add(ProgressBar::new(part.len() as u64));
    all.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} programs {elapsed}")?);
    let queue = Mutex::new(part.iter());
    let ended = Mutex::new(BTreeMap::new());
    let worker = || -> Result<()> {
        loop {
            let Some(program) = queue.lock().map_or(None, |mut queue| queue.next()) else { return Ok(()) };
            let bar = bars.insert_before(&all, ProgressBar::new_spinner().with_prefix(program.clone()));
            bar.set_style(ProgressStyle::with_template("{spinner} {prefix:10} {wide_msg}")?);
            bar.enable_steady_tick(Duration::from_millis(100));
            let (output, failed) = one(&harness, program, &stage, options, &bar)?;
            let result = findings::result(&left_behind(program)?, program, failed);
            bar.finish_and_clear();
            all.inc(1);
            if let Ok(mut ended) = ended.lock() {
                ended.insert(program.clone(), (output, failed, result));
            }
        }
    };
    // Two at a time: a build keeps the processors busy by itself, a workload only one.
    std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    all.finish_and_clear();
    let mut results = BTreeMap::new();
    for (program, (output, failed, result)) in ended.into_inner().unwrap_or_default() {
        if failed || options.keep {
            print!("{output}");
        }
        results.insert(program, result);
    }
    Ok(Findings { programs, results })
}

/// Where the test of a program leaves what it has found.
fn left_behind(program: &str) -> Result<PathBuf> {
    Ok(cargo::target()?.join(format!("corpus/results/{program}.json")))
}

/// Builds the test executable of the corpus and returns its path.
fn harness() -> Result<PathBuf> {
    let messages = cargo::cargo([
        "test",
        "--quiet",
        "--package",
        "corpus",
        "--test",
        "corpus",
        "--no-run",
        "--message-format",
        "json",
    ])?
    .read()
    .context("the corpus tests do not build")?;
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_harness = message["target"]["name"] == "corpus" && message["target"]["kind"][0] == "test";
        message["executable"].as_str().filter(|_| is_harness).map(PathBuf::from)
    });
    executable.context("cargo names no test executable of the corpus")
}

fn chosen(harness: &Path, options: &Options) -> Result<Vec<String>> {
    let filter = Regex::new(&options.filter).context("the filter is not a regular expression")?;
    let mut list = Command::new(harness);
    list.args(["--list", "--format", "terse"]).current_dir(cargo::root()?).env(TIER, &options.tier);
    let listed = String::from_utf8(list.output()?.stdout)?;
    let names =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).filter(|name| filter.is_match(name));
    Ok(names.map(str::to_owned).collect())
}

/// Runs the test of one program; returns what it printed and whether it failed.
fn one(
    harness: &Path,
    program: &str,
    stage: &Path,
    options: &Options,
    bar: &ProgressBar,
) -> Result<(String, bool)> {
    // What an earlier run has found is not taken for this one's.
    let _ = fs::remove_file(left_behind(program)?);
    let mut child = Command::new(harness)
        .args(["--exact", program])
        .current_dir(cargo::root()?)
        .env("CARGO_MANIFEST_DIR", cargo::root()?.join("corpus"))
        .env("ALLOCS_STAGE", stage)
        .env(TIER, &options.tier)
        .env("ALLOCS_CORPUS_PROGRESS", "1")
        .env("ALLOCS_CORPUS_OFFLINE", if options.offline { "1" } else { "0" })
        .env("ALLOCS_CORPUS_KEEP", if options.keep { "1" } else { "0" })
        .env("INSTA_WORKSPACE_ROOT", cargo::root()?)
        .env("INSTA_UPDATE", if options.bless { "always" } else { "no" })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = String::new();
    std::thread::scope(|scope| -> Result<()> {
        let printed = scope.spawn(|| -> Result<String> {
            let mut printed = String::new();
            stdout.context("the output is piped")?.read_to_string(&mut printed)?;
            Ok(printed)
        });
        for line in BufReader::new(stderr.context("the messages are piped")?).lines() {
            let line = line?;
            match line.strip_prefix("::station ") {
                Some(station) => bar.set_message(station.to_owned()),
                None => output += &format!("{line}\n"),
            }
        }
        output += &printed.join().unwrap_or_else(|_| bail!("the reader panicked"))?;
        Ok(())
    })?;
    Ok((output, !child.wait()?.success()))
}
