//! One test for each mode of each small C program below `corpus/programs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};

use corpus::cache::{self, Key};
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
            valgrind.args(["-q", "--error-exitcode=99"]).arg(&executable);
            valgrind
        }
        Mode::Ulimit => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -v 300000; exec \"$0\" \"$@\""]).arg(&executable);
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

    let expected = if *mode == Mode::Plain { &program.plain } else { &program.expected };
    let messages = String::from_utf8_lossy(&outcome.stderr);
    programs::matches(&expected.stdout, &outcome.stdout, "standard output")
        .with_context(|| messages.to_string())?;
    if let Some(stderr) = &expected.stderr {
        programs::matches(stderr, &outcome.stderr, "standard error")?;
    }
    ensure!(outcome.ending() == expected.ending, "{}, not {}\n{messages}", outcome.ending(), expected.ending);
    Ok(())
}

/// Builds a program with allocscc, or finds it built before from the same files, flags and tools.
fn build(program: &Program, mode: &Mode, stage: &Stage) -> Result<PathBuf> {
    let mut flags = program.cflags.clone();
    if let Mode::Flags(more) = mode {
        flags.extend(more.iter().cloned());
    }
    let compiler = if *mode == Mode::Clang { tools::find("clang-14")? } else { tools::find("cc")? };
    let version = Command::new(&compiler).arg("--version").output()?.stdout;
    let mut key = Key::new("program", 1).with(cache::sha256_of(&stage.allocscc())?).with(version);
    key = key
        .with(flags.join("\n"))
        .with(program.ldflags.join("\n"))
        .with(places::root().to_string_lossy().as_bytes());
    let mut files: Vec<_> =
        fs::read_dir(stage.include())?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let siblings = program.path.parent().context("a program is in a directory")?;
    files.extend(fs::read_dir(siblings)?.flatten().map(|entry| entry.path()).filter(|path| {
        // Files that a directive or an #include may name.
        *path == program.path
            || named(program, path)
            || path.extension().is_some_and(|extension| extension == "h")
    }));
    files.sort();
    for file in files {
        key = key.with(file.to_string_lossy().as_bytes()).with(cache::sha256_of(&file)?);
    }
    let name = program.path.file_stem().context("a program has a name")?.to_owned();
    let entry = places::kept().join("programs").join(format!("{}-{}", name.display(), key.digits()));
    let dir = cache::directory(&entry, |dir| {
        let driver = |path: PathBuf| {
            let mut command = Command::new(path);
            command.current_dir(siblings).env("ALLOCSCC_CC", &compiler);
            command
        };
        for (sources, path) in [(&program.so, stage.allocscc()), (&program.cc_so, compiler.clone())] {
            for source in sources {
                let stem = source.file_stem().context("a source has a name")?.display();
                let out = dir.join(format!("lib{stem}.so"));
                let mut command = driver(path.clone());
                command.args(["-shared", "-fPIC"]).args(&flags).args(source.file_name()).arg("-o").arg(out);
                child::must(&mut command)?;
            }
        }
        let mut command = driver(stage.allocscc());
        command.args(flags.iter().map(|flag| place(flag, dir, stage))).args(program.path.file_name());
        command.args(program.with.iter().filter_map(|file| file.file_name())).arg("-o").arg(dir.join(&name));
        command.args(program.ldflags.iter().map(|flag| place(flag, dir, stage)));
        child::must(&mut command).map(drop)
    })
    .with_context(|| format!("building {}", program.name))?;
    Ok(dir.join(name))
}

fn named(program: &Program, path: &Path) -> bool {
    [&program.with, &program.so, &program.cc_so].iter().any(|files| files.iter().any(|file| file == path))
}

fn place(text: &str, dir: &Path, stage: &Stage) -> String {
    let prefix = stage.include();
    let prefix = prefix.parent().unwrap_or(&prefix);
    text.replace("{dir}", &dir.to_string_lossy()).replace("{stage}", &prefix.to_string_lossy())
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
