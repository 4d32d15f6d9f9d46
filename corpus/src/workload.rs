//! Runs the workload of a program in one mode: the same commands, over the same inputs, in a directory of its own.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use similar::TextDiff;
use tempfile::TempDir;

use crate::manifest::{Program, Run};
use crate::watch::{Preloads, Seen, Watch};
use crate::{child, inputs, tools};

/// Set to 1, it keeps the working directories.
pub const KEEP: &str = "ALLOCS_CORPUS_KEEP";

/// How a workload is run.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// The library is preloaded.
    pub library: bool,
    /// What watches.
    pub watch: Watch,
}

/// One finished step.
#[derive(Debug)]
pub struct Step {
    /// The command.
    pub run: Run,
    /// What it did.
    pub outcome: child::Outcome,
    /// What the watcher saw.
    pub seen: Seen,
}

/// A workload in its directory, ready to run.
///
/// The directory, `argv[0]` and the environment have the same length everywhere, because programs keep them in heap blocks.
pub struct Workload<'a> {
    program: &'a Program,
    preloads: &'a Preloads,
    dir: TempDir,
    scratch: TempDir,
}

impl<'a> Workload<'a> {
    /// Makes the directory with the generated inputs and a copy of the executable.
    pub fn new(program: &'a Program, executable: &Path, preloads: &'a Preloads) -> Result<Self> {
        let temporary = || tempfile::Builder::new().prefix("allocs-").rand_bytes(8).tempdir_in("/tmp");
        let mut dir = temporary()?;
        if env::var_os(KEEP).is_some_and(|value| value == "1") {
            dir.disable_cleanup(true);
            println!("{}: kept in {}", program.name, dir.path().display());
        }
        for input in &program.input {
            inputs::write(input, dir.path())?;
        }
        fs::copy(executable, dir.path().join(&program.name))
            .with_context(|| format!("cannot copy {}", executable.display()))?;
        Ok(Self { program, preloads, dir, scratch: temporary()? })
    }

    /// Runs all steps in order.
    pub fn run(&self, mode: Mode) -> Result<Vec<Step>> {
        self.program.run.iter().map(|run| self.step(run, mode)).collect()
    }

    /// Runs the first step only, which needs no output of another one.
    pub fn first(&self, mode: Mode) -> Result<Step> {
        self.step(self.program.run.first().context("a workload has a step")?, mode)
    }

    fn step(&self, run: &Run, mode: Mode) -> Result<Step> {
        self.checked(run, mode).with_context(|| format!("step \"{}\" ({mode:?})", run.step))
    }

    fn checked(&self, run: &Run, mode: Mode) -> Result<Step> {
        let (dir, scratch) = (self.dir.path(), self.scratch.path());
        let program = Path::new(".").join(&self.program.name);
        let mut command = mode.watch.command(&program, mode.library, self.preloads, scratch)?;
        command.current_dir(dir).args(&run.args).envs(&run.env).stdin(stdin(run, dir, scratch)?);
        let outcome = child::run(&mut command, scratch, Duration::from_secs(300))?;
        let messages = String::from_utf8_lossy(&outcome.stderr);
        ensure!(
            outcome.status.code() == Some(run.exit),
            "{}, not exit {}\n{messages}",
            outcome.ending(),
            run.exit
        );
        if let Some(name) = &run.stdout {
            fs::write(dir.join(name), &outcome.stdout)?;
        }
        Ok(Step { run: run.clone(), outcome, seen: mode.watch.seen(scratch)? })
    }
}

fn stdin(run: &Run, dir: &Path, scratch: &Path) -> Result<Stdio> {
    let Some(name) = &run.stdin else { return Ok(Stdio::null()) };
    let path = dir.join(name);
    let Some(length) = run.stdin_bytes else {
        return Ok(File::open(&path).with_context(|| format!("cannot open {name}"))?.into());
    };
    let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
    let cut = scratch.join("stdin");
    fs::write(&cut, bytes.get(..length).with_context(|| format!("{name} is shorter than {length} bytes"))?)?;
    Ok(File::open(cut)?.into())
}

/// A copy of a program without symbols and debug information.
pub fn stripped(executable: &Path, dir: &Path) -> Result<PathBuf> {
    let copy = dir.join("stripped");
    child::must(Command::new(tools::find("strip")?).arg("-s").arg(executable).arg("-o").arg(&copy))?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    Ok(copy)
}

/// Checks that two runs of a workload showed the same to the outside.
pub fn same_output(expected: &[Step], found: &[Step], what: &str) -> Result<()> {
    for (expected, found) in expected.iter().zip(found) {
        let streams = [
            ("standard output", &expected.outcome.stdout, &found.outcome.stdout),
            ("standard error", &expected.outcome.stderr, &found.outcome.stderr),
        ];
        for (name, expected_bytes, found_bytes) in streams {
            if expected_bytes != found_bytes {
                bail!(
                    "step \"{}\": {name} differs {what}\n{}",
                    found.run.step,
                    difference(expected_bytes, found_bytes)
                );
            }
        }
    }
    Ok(())
}

/// Our own count of allocations and bytes must be the census's.
pub fn same_counts(counted: &[Step], census: &[Step]) -> Result<()> {
    for (counted, census) in counted.iter().zip(census) {
        let summary = census.seen.census().map(|census| census.summary).unwrap_or_default();
        let expected = Seen::Count(summary.allocations, summary.bytes);
        ensure!(
            counted.seen == expected,
            "step \"{}\": the census has {expected:?} (allocations, bytes), the counting library {:?}",
            census.run.step,
            counted.seen
        );
    }
    Ok(())
}

/// Checks that two texts are equal.
pub fn same_text(expected: &str, found: &str) -> Result<()> {
    ensure!(expected == found, "{}", difference(expected.as_bytes(), found.as_bytes()));
    Ok(())
}

/// The first few lines that differ, or the first byte where the output is not text.
fn difference(expected: &[u8], found: &[u8]) -> String {
    if let (Ok(expected), Ok(found)) = (str::from_utf8(expected), str::from_utf8(found)) {
        let diff = TextDiff::from_lines(expected, found).unified_diff().context_radius(1).to_string();
        return diff.lines().take(20).collect::<Vec<_>>().join("\n");
    }
    let byte = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    format!("{} and {} bytes, the first difference at byte {byte}", expected.len(), found.len())
}
