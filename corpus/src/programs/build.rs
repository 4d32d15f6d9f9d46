//! Builds a small program of ours in one mode, and keeps it by content hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Library, Mode, Program};
use crate::cache::{self, Key};
use crate::stage::Stage;
use crate::{child, places, tools};

/// Builds a program with allocscc, or finds it built before from the same files, flags and tools.
pub fn build(program: &Program, mode: &Mode, stage: &Stage) -> Result<PathBuf> {
    let mut flags = program.cflags.clone();
    if let Mode::Flags(more) | Mode::Clang(more) = mode {
        flags.extend(more.iter().cloned());
    }
    let compiler = compiler(program, mode)?;
    let key = key(program, &flags, &compiler, stage)?;
    let name = program.path.file_stem().context("a program has a name")?.to_owned();
    let entry = places::kept().join("programs").join(format!("{}-{}", name.display(), key.digits()));
    let dir =
        cache::directory(&entry, |dir| compile(program, &flags, &compiler, stage, dir, &dir.join(&name)))
            .with_context(|| format!("building {}", program.name))?;
    Ok(dir.join(name))
}

/// The compiler of the mode for the program's language.
fn compiler(program: &Program, mode: &Mode) -> Result<PathBuf> {
    match (mode, program.is_cplusplus()) {
        (Mode::Clang(_), false) => tools::clang(),
        (Mode::Clang(_), true) => tools::clang_cplusplus(),
        (_, false) => tools::find("cc"),
        (_, true) => tools::find("c++"),
    }
}

fn key(program: &Program, flags: &[String], compiler: &Path, stage: &Stage) -> Result<Key> {
    let version = Command::new(compiler).arg("--version").output()?.stdout;
    let mut key = Key::new("program", 1)
        .with(cache::sha256_of(&stage.allocscc())?)
        .with(cache::sha256_of(&stage.allocs())?)
        .with(version)
        .with(flags.join("\n"))
        .with(program.ldflags.join("\n"))
        .with(program.build_env.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>())
        .with(places::root().to_string_lossy().as_bytes());
    let files = |dir: &Path| -> Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()
    };
    let mut inputs = files(&stage.include())?;
    let is_header = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "h");
    let own = directory(program)?;
    for dir in [Some(own), own.parent()].into_iter().flatten() {
        inputs.extend(files(dir)?.into_iter().filter(is_header));
    }
    inputs.extend(program.with.iter().cloned());
    for library in [&program.so, &program.cc_so, &program.added_so, &program.based_so].into_iter().flatten() {
        key = key.with(library.ldflags.join("\n"));
        inputs.push(library.source.clone());
    }
    inputs.push(program.path.clone());
    inputs.sort();
    for file in inputs {
        key = key.with(file.to_string_lossy().as_bytes()).with(cache::sha256_of(&file)?);
    }
    Ok(key)
}

fn directory(program: &Program) -> Result<&Path> {
    program.path.parent().context("a program is in a directory")
}

fn compile(
    program: &Program,
    flags: &[String],
    compiler: &Path,
    stage: &Stage,
    dir: &Path,
    out: &Path,
) -> Result<()> {
    // File names without a directory keep the checkout's path out of the metadata.
    let driver = |path: &Path| -> Result<Command> {
        let mut command = Command::new(path);
        command.current_dir(directory(program)?).env("ALLOCSCC_CC", compiler);
        command.envs(program.build_env.iter().map(|(name, value)| (name, value)));
        command.args(flags.iter().map(|flag| place(flag, dir, stage)));
        Ok(command)
    };
    let allocscc = if program.is_cplusplus() { stage.allocscc_cplusplus() } else { stage.allocscc() };
    let libraries: [(_, &Path, Option<&[&str]>); 4] = [
        (&program.so, &allocscc, None),
        (&program.cc_so, compiler, None),
        (&program.added_so, compiler, Some(&[])),
        (&program.based_so, compiler, Some(&["--base", "."])),
    ];
    for (sources, path, added) in libraries {
        for Library { source, ldflags } in sources {
            let stem = source.file_stem().context("a source has a name")?.display();
            let library = dir.join(format!("lib{stem}.so"));
            let mut command = driver(path)?;
            command.args(["-shared", "-fPIC"]).arg(source.strip_prefix(directory(program)?)?);
            command.arg("-o").arg(&library);
            child::must(command.args(ldflags.iter().map(|flag| place(flag, dir, stage))))?;
            if let Some(options) = added {
                let mut allocs = Command::new(stage.allocs());
                child::must(allocs.current_dir(dir).args(["meta", "add"]).args(options).arg(&library))?;
            }
        }
    }
    let mut command = driver(&allocscc)?;
    command.args(program.path.file_name()).args(program.with.iter().filter_map(|file| file.file_name()));
    command.arg("-o").arg(out).args(program.ldflags.iter().map(|flag| place(flag, dir, stage)));
    child::must(&mut command).map(drop)
}

/// Replaces `{dir}` by the directory of the built program and `{stage}` by the staged prefix.
pub fn place(text: &str, dir: &Path, stage: &Stage) -> String {
    let prefix = stage.include();
    let prefix = prefix.parent().unwrap_or(&prefix);
    text.replace("{dir}", &dir.to_string_lossy()).replace("{stage}", &prefix.to_string_lossy())
}
