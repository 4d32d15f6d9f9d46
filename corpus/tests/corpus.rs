//! One test for each program of the corpus.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};

use corpus::build::{self, Compiler, Variant};
use corpus::census::Summary;
use corpus::manifest::{Manifest, Program};
use corpus::parsed::Parsed;
use corpus::report::{Report, Verdict};
use corpus::stage::Stage;
use corpus::watch::{Preloads, Watch};
use corpus::workload::{self, Mode, Step, Workload};
use corpus::{places, snapshot};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let trial =
        |program: Program| Trial::test(program.name.clone(), move || test(&program).map_err(Failed::from));
    // A snapshot that differs panics after insta has shown the difference; libtest-mimic prints what panics say.
    panic::set_hook(Box::new(|_| {}));
    let trials = Manifest::read()?.chosen()?.cloned().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

fn test(program: &Program) -> Result<(), String> {
    let mut report = Report { program: program.name.clone(), ..Report::default() };
    let result = check(program, &mut report).map_err(|error| format!("{error:#}"));
    report.failure = result.as_ref().err().cloned();
    report.write().map_err(|error| format!("{error:#}"))?;
    result
}

/// The whole way of one program. The report is filled as far as it comes.
fn check(program: &Program, report: &mut Report) -> Result<()> {
    let stage = Stage::ready()?;
    let [plain, built] = builds(program, &stage, report)?;
    let seen = runs(program, &stage, &plain, &built, report)?;
    let verdict = compare(&program.name, &seen);
    report.snapshot = Some(verdict);
    ensure!(
        verdict != Verdict::Changed,
        "snapshots/{}.snap differs; `cargo xtask corpus --bless` accepts what is new",
        program.name
    );
    Ok(())
}

/// Builds with both compilers. The code of every object must be the same.
fn builds(program: &Program, stage: &Stage, report: &mut Report) -> Result<[PathBuf; 2]> {
    let manifest = Manifest::read()?;
    progress("building with cc");
    let plain = build::build(&manifest, program, Compiler::Plain, &Variant::default(), stage)?;
    report.build_plain = Some(plain.figures.cpu);
    report.lines = Some(plain.figures.lines);
    report.alloca = plain.figures.alloca.iter().cloned().collect();
    progress("building with allocscc");
    let built = build::build(&manifest, program, Compiler::Allocscc, &Variant::default(), stage)?;
    report.build_allocscc = Some(built.figures.cpu);
    report.parsed = built.figures.parsed.clone();
    report.parsed.as_ref().map_or(Ok(()), Parsed::is_enough)?;
    plain.same_code(&built)?;
    Ok([plain.executable(), built.executable()])
}

/// Runs the workload in every way. All show the same to the outside; what the census says is returned.
fn runs(program: &Program, stage: &Stage, plain: &Path, built: &Path, report: &mut Report) -> Result<String> {
    let preloads = Preloads::ready(stage)?;
    let run = |executable: &Path, library, watch| {
        progress(&format!("running {} the library: {watch:?}", if library { "with" } else { "without" }));
        Workload::new(program, executable, &preloads)?.run(Mode { library, watch })
    };
    let expected = run(plain, false, Watch::Nothing)?;
    report.run_plain = Some(cpu(&expected));
    workload::same_output(&expected, &run(built, false, Watch::Nothing)?, "when built with allocscc")?;
    let library = run(built, true, Watch::Nothing)?;
    report.run_library = Some(cpu(&library));
    workload::same_output(&expected, &library, "with the library")?;

    let census = run(built, true, Watch::Census)?;
    workload::same_output(&expected, &census, "with the census")?;
    let mut summary = Summary::default();
    census.iter().filter_map(|step| step.seen.census()).for_each(|census| summary += census.summary);
    report.summary = Some(summary);
    workload::same_counts(&run(built, false, Watch::Count)?, &census)?;

    let seen = snapshot::render(&census);
    let dir = tempfile::tempdir()?;
    let stripped = run(&workload::stripped(built, dir.path())?, true, Watch::Census)?;
    workload::same_text(&seen, &snapshot::render(&stripped))
        .context("the census of a second run, stripped, differs")?;
    Ok(seen)
}

/// Tells `cargo xtask corpus` how far the test is.
fn progress(station: &str) {
    if env::var_os("ALLOCS_CORPUS_PROGRESS").is_some() {
        eprintln!("::station {station}");
    }
}

fn cpu(steps: &[Step]) -> Duration {
    steps.iter().map(|step| step.outcome.cpu).sum()
}

/// Compares with the snapshot; insta prints the difference, or accepts it where INSTA_UPDATE says so.
fn compare(name: &str, seen: &str) -> Verdict {
    let dir = places::root().join("snapshots");
    let path = dir.join(format!("{name}.snap"));
    let before = fs::read(&path).ok();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(dir);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let compare = AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(name, seen)));
    match panic::catch_unwind(compare) {
        Err(_) => Verdict::Changed,
        Ok(()) if fs::read(&path).ok() == before => Verdict::Same,
        Ok(()) => Verdict::Blessed,
    }
}
