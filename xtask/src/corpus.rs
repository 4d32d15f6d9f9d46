//! `cargo xtask corpus`: runs the corpus tests, shows how far they are, and prints a table.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use regex_lite::Regex;

use crate::{cargo, install, table};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Accepts what is new in the snapshots
    #[arg(long)]
    bless: bool,
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
    #[arg(long, value_name = "N/M", value_parser = partition, default_value = "1/1")]
    partition: (usize, usize),
}

fn partition(text: &str) -> Result<(usize, usize)> {
    let (part, parts) = text.split_once('/').context("not of the form N/M")?;
    let (part, parts): (usize, usize) = (part.parse()?, parts.parse()?);
    ensure!(1 <= part && part <= parts, "the part is not between 1 and {parts}");
    Ok((part, parts))
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let stage = install::stage()?;
    let harness = harness()?;
    let programs = chosen(&harness, options)?;
    let bars = MultiProgress::new();
    let all = bars.add(ProgressBar::new(programs.len() as u64));
    all.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} programs {elapsed}")?);
    let queue = Mutex::new(programs.iter());
    let outputs = Mutex::new(BTreeMap::new());
    let worker = || -> Result<()> {
        loop {
            let Some(program) = queue.lock().map_or(None, |mut queue| queue.next()) else { return Ok(()) };
            let bar = bars.insert_before(&all, ProgressBar::new_spinner().with_prefix(program.clone()));
            bar.set_style(ProgressStyle::with_template("{spinner} {prefix:10} {wide_msg}")?);
            bar.enable_steady_tick(Duration::from_millis(100));
            let output = one(&harness, program, &stage, options, &bar)?;
            bar.finish_and_clear();
            all.inc(1);
            if let Ok(mut outputs) = outputs.lock() {
                outputs.insert(program.clone(), output);
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
    let outputs = outputs.into_inner().unwrap_or_default();
    for (output, failed) in outputs.values() {
        if *failed || options.keep {
            print!("{output}");
        }
    }
    table::print(&programs)?;
    let failed = outputs.values().filter(|(_, failed)| *failed).count();
    ensure!(failed == 0, "{failed} of {} programs failed", programs.len());
    Ok(())
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
    let output =
        Command::new(harness).args(["--list", "--format", "terse"]).current_dir(cargo::root()?).output()?;
    let listed = String::from_utf8(output.stdout)?;
    let names =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).filter(|name| filter.is_match(name));
    let (part, parts) = options.partition;
    Ok(names
        .enumerate()
        .filter(|(index, _)| index % parts == part - 1)
        .map(|(_, name)| name.to_owned())
        .collect())
}

/// Runs the test of one program; returns what it printed and whether it failed.
fn one(
    harness: &Path,
    program: &str,
    stage: &Path,
    options: &Options,
    bar: &ProgressBar,
) -> Result<(String, bool)> {
    let mut child = Command::new(harness)
        .args(["--exact", program])
        .current_dir(cargo::root()?)
        .env("CARGO_MANIFEST_DIR", cargo::root()?.join("corpus"))
        .env("ALLOCS_STAGE", stage)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_read() {
        assert_eq!(partition("2/3").unwrap(), (2, 3));
        for wrong in ["3/2", "0/2", "2", "a/b"] {
            assert!(partition(wrong).is_err(), "{wrong}");
        }
    }
}
