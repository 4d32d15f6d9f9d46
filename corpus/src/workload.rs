//! Runs the workload of a program in one mode: the same commands, over the same inputs, in a directory of its own.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use similar::TextDiff;

use crate::cache::{self, Key};
use crate::census::Census;
use crate::manifest::{Program, Run};
use crate::stage::Stage;
use crate::{child, inputs, places, tools};

/// Set to 1, it keeps the working directories.
pub const KEEP: &str = "ALLOCS_CORPUS_KEEP";

/// What is preloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Bare,
    /// The library.
    Library,
    /// The library, its census, and the probe.
    Census,
    /// The counting library alone.
    Counted,
}

/// One finished step.
#[derive(Debug)]
pub struct Step {
    /// The command.
    pub run: Run,
    /// What it did.
    pub outcome: child::Outcome,
    /// What the library saw ([`Mode::Census`]).
    pub census: Option<Census>,
    /// The sampled interior pointers, a line each ([`Mode::Census`]).
    pub samples: Vec<String>,
    /// Allocations and bytes by our own count ([`Mode::Counted`]).
    pub counted: Option<(u64, u64)>,
}

/// The preloadable libraries of ours.
#[derive(Debug)]
pub struct Preloads {
    probe: PathBuf,
    count: PathBuf,
}

impl Preloads {
    /// Builds them with the host's compiler, or finds them built before.
    pub fn ready(stage: &Stage) -> Result<Self> {
        Ok(Self { probe: shared(stage, "probe/probe.c")?, count: shared(stage, "probe/count.c")? })
    }
}

/// Compiles one file of ours to a shared library.
pub fn shared(stage: &Stage, source: &str) -> Result<PathBuf> {
    let path = places::corpus().join(source);
    let mut key = Key::new("shared", 1).with(cache::sha256_of(&path)?);
    for header in fs::read_dir(stage.include()).context("the staged prefix has no headers")? {
        key = key.with(cache::sha256_of(&header?.path())?);
    }
    let name = path.file_stem().context("a source has a name")?.to_string_lossy().into_owned();
    let file = format!("lib{name}.so");
    let dir =
        cache::directory(&places::kept().join("build").join(format!("{name}-{}", key.digits())), |dir| {
            let mut cc = Command::new(tools::find("cc")?);
            cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-I"]).arg(stage.include());
            child::must(cc.arg(&path).arg("-o").arg(dir.join(&file)).arg("-ldl")).map(drop)
        })?;
    Ok(dir.join(file))
}

/// Runs all steps of a program's workload.
///
/// The directory and `argv[0]` have the same length everywhere, because programs keep both in heap blocks.
pub fn run(
    program: &Program,
    executable: &Path,
    mode: Mode,
    stage: &Stage,
    preloads: &Preloads,
) -> Result<Vec<Step>> {
    let mut dir = tempfile::Builder::new().prefix("allocs-").rand_bytes(8).tempdir_in("/tmp")?;
    if env::var_os(KEEP).is_some_and(|value| value == "1") {
        dir.disable_cleanup(true);
        println!("{} {mode:?}: kept in {}", program.name, dir.path().display());
    }
    let scratch = tempfile::tempdir()?;
    for input in &program.input {
        inputs::write(input, dir.path())?;
    }
    fs::copy(executable, dir.path().join(&program.name))
        .with_context(|| format!("cannot copy {}", executable.display()))?;
    let step = |run: &Run| {
        one(program, run, mode, stage, preloads, dir.path(), scratch.path())
            .with_context(|| format!("step \"{}\" ({mode:?})", run.step))
    };
    program.run.iter().map(step).collect()
}

fn one(
    program: &Program,
    run: &Run,
    mode: Mode,
    stage: &Stage,
    preloads: &Preloads,
    dir: &Path,
    scratch: &Path,
) -> Result<Step> {
    let (census, probe, count) = (scratch.join("census"), scratch.join("probe"), scratch.join("count"));
    for old in [&census, &probe, &count] {
        // Only a step before this one can have left it.
        let _ = fs::remove_file(old);
    }
    let mut command = Command::new(format!("./{}", program.name));
    command.current_dir(dir).args(&run.args).stdin(stdin(run, dir, scratch)?);
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C"), ("TZ", "UTC")]);
    match mode {
        Mode::Bare => {}
        Mode::Library => {
            command.env("LD_PRELOAD", stage.library());
        }
        Mode::Census => {
            let mut both = OsString::from(stage.library());
            both.push(":");
            both.push(&preloads.probe);
            command.env("LD_PRELOAD", both).env("LIBALLOCS_CENSUS", &census).env("ALLOCS_PROBE", &probe);
            // The probe's queries make the library print its summary, which is not the program's output.
            command.env("LIBALLOCS_ERR", scratch.join("log"));
        }
        Mode::Counted => {
            command.env("LD_PRELOAD", &preloads.count).env("ALLOCS_COUNT", &count);
        }
    }
    let outcome = child::run(&mut command, scratch, Duration::from_secs(120))?;
    let messages = String::from_utf8_lossy(&outcome.stderr);
    ensure!(outcome.status.code() == Some(run.exit), "{}, not {}\n{messages}", outcome.ending(), run.exit);
    if let Some(name) = &run.stdout {
        fs::write(dir.join(name), &outcome.stdout)?;
    }
    let mut step = Step { run: run.clone(), outcome, census: None, samples: Vec::new(), counted: None };
    if mode == Mode::Census {
        let text = fs::read_to_string(&census).context("the library wrote no census")?;
        step.census = Some(Census::parse(&text)?);
        let text = fs::read_to_string(&probe).context("the probe wrote nothing")?;
        step.samples = text.lines().map(str::to_owned).collect();
    }
    if mode == Mode::Counted {
        let text = fs::read_to_string(&count).context("the counting library wrote nothing")?;
        let (allocations, bytes) = text.trim().split_once(' ').context("not a count")?;
        step.counted = Some((allocations.parse()?, bytes.parse()?));
    }
    Ok(step)
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
