//! Builds one corpus program, once with the plain compiler and once with `allocscc`, and keeps both by content hash.

pub mod cost;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::cache::{self, Key};
use crate::lines::{self, Place};
use crate::manifest::{Manifest, Program};
use crate::parsed::Parsed;
use crate::sources::Sources;
use crate::stage::Stage;
use crate::{child, fetch, objects, places, tools, tree};

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
    /// The object files in the order of the manifest, or of their paths: what each is called, and where it is.
    pub objects: Vec<(String, PathBuf)>,
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
    /// How much our front end reads of the sources; for `allocscc`, where the manifest lists them.
    pub parsed: Option<Parsed>,
    /// Lines of the package's source files and headers that the program is made of, as its debug information names them.
    pub lines: u64,
}

impl Built {
    /// The linked program.
    pub fn executable(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// Checks that another build has the same objects with the same code.
    pub fn same_code(&self, other: &Self) -> Result<()> {
        let names = |built: &Self| built.objects.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        ensure!(names(self) == names(other), "other objects: {:?}, not {:?}", names(other), names(self));
        for ((name, expected), (_, found)) in self.objects.iter().zip(&other.objects) {
            objects::same_code(expected, found).with_context(|| format!("the code of {name}"))?;
        }
        Ok(())
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
    let cc = tools::find(&variant.cc)?;
    let version = Command::new(&cc).arg("--version").output();
    let version = version.with_context(|| format!("cannot run {}", variant.cc))?.stdout;
    let mut key = Key::new("build", 3)
        .with(&program.name)
        .with(serde_json::to_vec(&program.build)?)
        .with(variant.flags.join(" "))
        .with(places::root().to_string_lossy().as_bytes())
        .with(version);
    // The times of the two builds with the manifest's flags are compared, so those are made in one run.
    if compiler == Compiler::Allocscc || variant.flags.is_empty() {
        key = key.with(cache::sha256_of(&stage.allocscc())?).with(cache::sha256_of(&stage.allocs())?);
    }
    for package in manifest.packages_of(program) {
        key = key.with(&package.sha256);
    }
    let sources = Sources::find(manifest, program)?;
    for (name, path) in sources.files.iter().filter(|(name, _)| name.starts_with("corpus/")) {
        key = key.with(name).with(cache::sha256_of(path)?);
    }
    if let Some(tree) = &program.build.tree {
        key = key.with(tree::key(tree)?.digits());
    }
    let (tool, driver, extra): (_, _, &[&str]) = match compiler {
        Compiler::Plain => ("cc", cc.clone(), &["-g", "-Walloca"]),
        Compiler::Allocscc => ("allocscc", stage.allocscc(), &[]),
    };
    let entry = places::kept().join("build").join(format!("{}-{tool}-{}", program.name, key.digits()));
    let dir = cache::directory(&entry, |dir| {
        let mut figures = match &program.build.tree {
            Some(tree) => {
                let mut flags = [&program.build.cflags[..], &variant.flags].concat();
                flags.extend(extra.iter().map(|flag| (*flag).to_owned()));
                tree::Build { manifest, program, tree, cc: &cc, driver: &driver, flags, kept: "o" }
                    .run(dir)?
            }
            None => {
                let build = Build { program, sources: &sources, variant, driver, extra, dir };
                let figures = build.run()?;
                let parsed = (compiler == Compiler::Allocscc).then(|| build.parsed(&cc, &stage.allocs()));
                Figures { parsed: parsed.transpose()?, ..figures }
            }
        };
        if compiler == Compiler::Plain {
            figures.lines = lines::of_program(&dir.join(&program.name), &places_of(manifest, program)?)?;
        }
        Ok(fs::write(dir.join("figures.json"), serde_json::to_vec(&figures)?)?)
    })
    .with_context(|| format!("building {} with {tool}", program.name))?;
    let figures = serde_json::from_slice(&fs::read(dir.join("figures.json"))?)?;
    let objects = match &program.build.tree {
        Some(_) => tree::objects(&dir)?,
        None => {
            let named = |(index, (name, _)): (usize, &(String, _))| (name.clone(), object(&dir, index));
            sources.files.iter().enumerate().map(named).collect()
        }
    };
    Ok(Built { dir, name: program.name.clone(), objects, figures })
}

/// Where the packages and our own files are compiled, and where they are.
fn places_of(manifest: &Manifest, program: &Program) -> Result<Vec<Place>> {
    if let Some(tree) = &program.build.tree {
        return tree::places(manifest, program, tree);
    }
    let mut dirs = vec![places::corpus()];
    for package in manifest.packages_of(program) {
        dirs.push(fetch::sources(manifest, package)?);
    }
    Ok(dirs.into_iter().map(|dir| (dir.clone(), dir)).collect())
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
                let (messages, cpu) = child::must(&mut self.compile(index))?;
                let name = &self.sources.files[index].0;
                let Ok(mut figures) = figures.lock() else { bail!("another compilation panicked") };
                figures.cpu += cpu;
                figures
                    .alloca
                    .extend(callers_of_alloca(&messages).map(|(function, _)| format!("{function} ({name})")));
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
        figures.cpu += child::must(&mut self.link())?.1;
        Ok(figures)
    }

    /// Compiles one source.
    fn compile(&self, index: usize) -> Command {
        let mut command = self.compilation(&self.driver, index);
        command.args(self.extra).arg("-c").arg("-o").arg(object(self.dir, index));
        command
    }

    /// How much `allocs` reads of all sources behind the preprocessor of `cc`.
    fn parsed(&self, cc: &Path, allocs: &Path) -> Result<Parsed> {
        let scratch = tempfile::tempdir()?;
        let mut parsed = Parsed::default();
        for index in 0..self.sources.files.len() {
            let preprocessed = scratch.path().join("source.i");
            child::must(self.compilation(cc, index).arg("-E").arg("-o").arg(&preprocessed))?;
            parsed.add(Parsed::of(allocs, &preprocessed)?);
        }
        Ok(parsed)
    }

    /// What `compiler` is told of a source but what to make of it.
    fn compilation(&self, compiler: &Path, index: usize) -> Command {
        let mut command = self.command(compiler);
        for include in &self.sources.include {
            command.arg("-I").arg(relative(include));
        }
        command.arg(relative(&self.sources.files[index].1));
        command
    }

    /// Links the objects.
    fn link(&self) -> Command {
        let mut command = self.command(&self.driver);
        command.args((0..self.sources.files.len()).map(|index| object(self.dir, index)));
        command.arg("-o").arg(self.dir.join(&self.program.name)).args(&self.program.build.ldflags);
        command
    }

    fn command(&self, compiler: &Path) -> Command {
        let mut command = Command::new(compiler);
        // Paths in debug information are relative to the checkout.
        command.current_dir(places::root()).env("ALLOCSCC_CC", &self.variant.cc);
        command.args(&self.program.build.cflags).args(&self.variant.flags);
        command
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix(places::root()).unwrap_or(path)
}

/// The functions under which `-Walloca` reports a call, with the file that the compiler names.
pub(crate) fn callers_of_alloca(messages: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut caller = None;
    messages.lines().filter_map(move |line| {
        if let Some((file, rest)) = line.split_once(": In function ") {
            caller = rest.split(['\'', '\u{2018}', '\u{2019}']).nth(1).map(|function| (function, file));
        }
        line.contains("[-Walloca]").then_some(caller).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_alloca_are_named() {
        let messages = "a.c: In function 'f':\na.c:3: warning: use of 'alloca' [-Walloca]\na.c: In function \u{2018}g\u{2019}:\na.c:9: warning: other [-Wother]\n";
        assert_eq!(callers_of_alloca(messages).collect::<Vec<_>>(), [("f", "a.c")]);
    }
}
