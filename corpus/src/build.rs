//! Builds one corpus program, once with the plain compiler and once with `allocscc`, and keeps both by content hash.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cache::{self, Key};
use crate::manifest::{Manifest, Program};
use crate::sources::Sources;
use crate::stage::Stage;
use crate::{child, places, tools};

/// Which compiler builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compiler {
    /// The host's `cc` with `-g`.
    Plain,
    /// `allocscc`, with the flags that a user would give.
    Allocscc,
}

/// How a build differs from what the manifest says.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The C compiler, as a command of the search path.
    pub cc: String,
    /// Flags of every compilation and of the link, behind the manifest's, which they overrule.
    pub flags: Vec<String>,
}

impl Default for Variant {
    /// The host's `cc` and the manifest's flags.
    fn default() -> Self {
        Self { cc: "cc".to_owned(), flags: Vec::new() }
    }
}

/// A finished build.
#[derive(Debug)]
pub struct Built {
    dir: PathBuf,
    name: String,
    sources: Vec<String>,
    /// What it cost and what the compiler said.
    pub figures: Figures,
}

/// What a build cost and what the compiler said.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// User and system time of all compilations and the link.
    pub cpu: Duration,
    /// Functions that call alloca, by source file.
    pub alloca: BTreeSet<String>,
}

impl Built {
    /// The linked program.
    pub fn executable(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// The object files with the source that each was compiled from, in the order of the manifest.
    pub fn objects(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.sources.iter().enumerate().map(|(index, source)| (source.as_str(), object(&self.dir, index)))
    }
}

fn object(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("{index}.o"))
}

/// Builds a program, or finds it built before from the same sources, flags and tools.
pub fn build(
    manifest: &Manifest,
    program: &Program,
    compiler: Compiler,
    variant: &Variant,
    stage: &Stage,
) -> Result<Built> {
    for tool in &program.tools {
        tools::find(tool)?;
    }
    let sources = Sources::find(manifest, program)?;
    let cc = tools::find(&variant.cc)?;
    let version = Command::new(&cc).arg("--version").output();
    let version = version.with_context(|| format!("cannot run {}", variant.cc))?.stdout;
    let mut key = Key::new("build", 2)
        .with(&program.name)
        .with(serde_json::to_vec(&program.build)?)
        .with(variant.flags.join(" "))
        .with(places::root().to_string_lossy().as_bytes())
        .with(version);
    // The times of the two builds with the manifest's flags are compared, so those are made in one run.
    if compiler == Compiler::Allocscc || variant.flags.is_empty() {
        key = key.with(cache::sha256_of(&stage.allocscc())?);
    }
    for package in manifest.packages_of(program) {
        key = key.with(&package.sha256);
    }
    for (name, path) in sources.files.iter().filter(|(name, _)| name.starts_with("corpus/")) {
        key = key.with(name).with(cache::sha256_of(path)?);
    }
    let (tool, driver, extra): (_, _, &[&str]) = match compiler {
        Compiler::Plain => ("cc", cc, &["-g", "-Walloca"]),
        Compiler::Allocscc => ("allocscc", stage.allocscc(), &[]),
    };
    let entry = places::kept().join("build").join(format!("{}-{tool}-{}", program.name, key.digits()));
    let dir = cache::directory(&entry, |dir| {
        let figures = Build { program, sources: &sources, variant, driver, extra, dir }.run()?;
        Ok(fs::write(dir.join("figures.json"), serde_json::to_vec(&figures)?)?)
    })
    .with_context(|| format!("building {} with {tool}", program.name))?;
    let figures = serde_json::from_slice(&fs::read(dir.join("figures.json"))?)?;
    let sources = sources.files.into_iter().map(|(name, _)| name).collect();
    Ok(Built { dir, name: program.name.clone(), sources, figures })
}

/// CPU time of a build by allocscc over that by `cc` with the same flags, file by file in turns, so that both meet the same machine.
/// Nothing is taken from the cache.
pub fn compare(manifest: &Manifest, program: &Program, stage: &Stage) -> Result<f64> {
    let sources = Sources::find(manifest, program)?;
    let scratch = tempfile::tempdir()?;
    let (ours, plain) = (scratch.path().join("allocscc"), scratch.path().join("cc"));
    let variant = Variant::default();
    let builds = [(&ours, stage.allocscc()), (&plain, tools::find(&variant.cc)?)].map(|(dir, driver)| {
        Build { program, sources: &sources, variant: &variant, driver, extra: &[], dir }
    });
    let mut times = [Duration::ZERO; 2];
    for build in &builds {
        fs::create_dir(build.dir)?;
    }
    for index in 0..sources.files.len() {
        for (build, time) in builds.iter().zip(&mut times) {
            *time += build.compile(index)?.1;
        }
    }
    for (build, time) in builds.iter().zip(&mut times) {
        *time += build.link()?;
    }
    Ok(times[0].as_secs_f64() / times[1].as_secs_f64())
}

/// One build of a program into a directory.
struct Build<'a> {
    program: &'a Program,
    sources: &'a Sources,
    variant: &'a Variant,
    driver: PathBuf,
    /// Flags of the compilations beside those.
    extra: &'a [&'a str],
    dir: &'a Path,
}

impl Build<'_> {
    /// Compiles all sources, one on each core, and links.
    fn run(&self) -> Result<Figures> {
        let figures = Mutex::new(Figures::default());
        let next = Mutex::new(0..self.sources.files.len());
        let worker = || -> Result<()> {
            loop {
                let Some(index) = next.lock().map_or(None, |mut next| next.next()) else { return Ok(()) };
                let (messages, cpu) = self.compile(index)?;
                let name = &self.sources.files[index].0;
                let Ok(mut figures) = figures.lock() else { bail!("another compilation panicked") };
                figures.cpu += cpu;
                figures
                    .alloca
                    .extend(callers_of_alloca(&messages).map(|function| format!("{function} ({name})")));
            }
        };
        thread::scope(|scope| {
            let count = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a compilation panicked")))
        })?;
        let mut figures = figures.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        figures.cpu += self.link()?;
        Ok(figures)
    }

    /// Compiles one source; what the compiler said, and its CPU time.
    fn compile(&self, index: usize) -> Result<(String, Duration)> {
        let mut command = self.command();
        command.args(self.extra);
        for include in &self.sources.include {
            command.arg("-I").arg(relative(include));
        }
        let source = relative(&self.sources.files[index].1);
        command.arg("-c").arg(source).arg("-o").arg(object(self.dir, index));
        child::must(&mut command)
    }

    /// Links the objects; the CPU time.
    fn link(&self) -> Result<Duration> {
        let mut command = self.command();
        command.args((0..self.sources.files.len()).map(|index| object(self.dir, index)));
        command.arg("-o").arg(self.dir.join(&self.program.name)).args(&self.program.build.ldflags);
        Ok(child::must(&mut command)?.1)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.driver);
        // Paths in debug information are relative to the checkout.
        command.current_dir(places::root()).env("ALLOCSCC_CC", &self.variant.cc);
        command.args(&self.program.build.cflags).args(&self.variant.flags);
        command
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(places::root()).unwrap_or(path)
}

/// The functions under which `-Walloca` reports a call.
fn callers_of_alloca(messages: &str) -> impl Iterator<Item = &str> {
    let mut function = None;
    messages.lines().filter_map(move |line| {
        if let Some((_, rest)) = line.split_once("In function ") {
            function = rest.split(['\'', '\u{2018}', '\u{2019}']).nth(1);
        }
        line.contains("[-Walloca]").then_some(function).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_alloca_are_named() {
        let messages = "a.c: In function 'f':\na.c:3: warning: use of 'alloca' [-Walloca]\na.c: In function \u{2018}g\u{2019}:\na.c:9: warning: other [-Wother]\n";
        assert_eq!(callers_of_alloca(messages).collect::<Vec<_>>(), ["f"]);
    }
}
