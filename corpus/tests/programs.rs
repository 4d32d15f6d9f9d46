//! One test for each mode of each small C program below `corpus/programs`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};

use corpus::programs::build::{build, place};
use corpus::programs::{self, Mode, Program};
use corpus::stage::Stage;
use corpus::{child, places, tools, workload};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let mut trials = vec![trial("ldd shows nothing of ours".into(), no_dependency_of_ours)];
    for program in programs::all(&places::corpus().join("programs"))? {
        for (word, mode) in program.modes.clone() {
            let program = program.clone();
            trials.push(trial(format!("{}::{word}", program.name), move || test(&program, &mode)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn trial(name: String, check: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    Trial::test(name, move || check().map_err(|error| Failed::from(format!("{error:#}"))))
}

fn test(program: &Program, mode: &Mode) -> Result<()> {
    let stage = Stage::ready()?;
    let built = build(program, mode, &stage)?;
    let scratch = tempfile::tempdir()?;
    let executable = match mode {
        Mode::Strip => workload::stripped(&built, scratch.path())?,
        _ => built.clone(),
    };
    let dir = built.parent().context("a program is built in a directory")?;
    let mut command = match mode {
        Mode::Valgrind => {
            let mut valgrind = Command::new(tools::find("valgrind")?);
            // Memcheck takes the place of every malloc by default; so only of the C library's, behind ours.
            let behind = "--soname-synonyms=somalloc=nouserintercepts";
            valgrind.args(["-q", "--error-exitcode=99", behind]).arg(&executable);
            valgrind
        }
        Mode::Ulimit(limit) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit -v {limit}; exec \"$0\" \"$@\"")]).arg(&executable);
            shell
        }
        _ => Command::new(&executable),
    };
    command.current_dir(scratch.path()).args(program.args.iter().map(|arg| place(arg, dir, &stage)));
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C"), ("TZ", "UTC")]);
    if *mode != Mode::Plain {
        command.env("LD_PRELOAD", stage.library());
    }
    command.envs(program.env.iter().map(|(name, value)| (name, place(value, dir, &stage))));
    let stdin = scratch.path().join("stdin");
    fs::write(&stdin, &program.stdin)?;
    let outcome = child::run(command.stdin(fs::File::open(stdin)?), scratch.path(), Duration::from_secs(60))?;

    if *mode == Mode::Plain { program.plain.check(&outcome) } else { program.expected.check(&outcome) }
}

/// A program that queries has no dependency on the library: it runs where nothing of ours is installed.
fn no_dependency_of_ours() -> Result<()> {
    let stage = Stage::ready()?;
    let all = programs::all(&places::corpus().join("programs"))?;
    let program =
        all.iter().find(|program| program.name == "examples/readme").context("the example is missing")?;
    let built = build(program, &Mode::Library, &stage)?;
    let output = Command::new(tools::find("ldd")?).arg(built).env("LC_ALL", "C").output()?;
    let listed = String::from_utf8(output.stdout)?;
    ensure!(listed.contains("libc.so"), "ldd does not list the C library:\n{listed}");
    ensure!(
        !listed.contains("allocs") && !listed.contains("not found"),
        "ldd lists more than it should:\n{listed}"
    );
    Ok(())
}
