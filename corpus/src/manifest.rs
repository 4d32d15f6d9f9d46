//! `corpus.lock.toml`: what each program is, where its sources come from, how it is built, what it runs.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::places;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The pinned packages.
    pub package: Vec<Package>,
    /// The programs, in the order of the table.
    pub program: Vec<Program>,
}

/// A pinned source package. Programs name it by `name`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in the registry; the first component of a source path.
    pub name: String,
    /// Where it comes from.
    pub registry: Registry,
    /// Its exact version.
    pub version: String,
    /// The SHA-256 of the archive.
    pub sha256: String,
    /// The licence of the sources that are built, as an SPDX expression.
    pub licence: String,
}

/// A kind of registry, reached only through its ordinary client.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// Cargo's default registry.
    Crates,
}

/// One program of the corpus.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The name of the test, of the executable and of the snapshot.
    pub name: String,
    /// What it is and why it is here.
    pub about: String,
    /// Host tools that it needs beyond the compiler.
    #[serde(default)]
    pub tools: Vec<String>,
    /// How it is compiled and linked.
    pub build: Build,
    /// The input files of its workload, made by a generator.
    #[serde(default)]
    pub input: Vec<Input>,
    /// The commands of its workload, in order.
    pub run: Vec<Run>,
}

/// Compiler command lines. A path's first component is a package name, or `corpus` for a file of ours.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Source files; the last component may hold one `*`.
    pub sources: Vec<String>,
    /// Files that a `*` matches but that are not part of the program.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Directories for `-I`.
    #[serde(default)]
    pub include: Vec<String>,
    /// Flags of every compilation.
    pub cflags: Vec<String>,
    /// Flags at the end of the link.
    #[serde(default)]
    pub ldflags: Vec<String>,
}

/// One generated input file.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Input {
    /// Its name in the working directory.
    pub file: String,
    /// What to write.
    #[serde(flatten)]
    pub content: Content,
}

/// What a generated input file holds.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "lowercase", tag = "content")]
pub enum Content {
    /// A file of `corpus/`, as it is.
    Copy {
        /// Its path below `corpus/`.
        from: String,
    },
    /// Pseudo-random words in lines.
    Text {
        /// Length of the file.
        bytes: usize,
    },
    /// One pseudo-random DNA sequence.
    Reference {
        /// Number of bases.
        bases: usize,
    },
    /// Noisy pieces of the [`Content::Reference`] of the same length.
    Reads {
        /// Number of bases of the reference.
        bases: usize,
        /// Number of pieces.
        count: usize,
        /// Length of each.
        length: usize,
    },
}

/// One command of a workload.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Names the step in the snapshot.
    pub step: String,
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// The file that is its standard input; none is an empty input.
    pub stdin: Option<String>,
    /// Only so many bytes of it: a truncated file.
    pub stdin_bytes: Option<usize>,
    /// Keeps standard output under this name for a later step.
    pub stdout: Option<String>,
    /// The exit status that it must have.
    #[serde(default)]
    pub exit: i32,
}

impl Manifest {
    /// Reads the manifest of this checkout.
    pub fn read() -> Result<Self> {
        let path = places::corpus().join("corpus.lock.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        for program in &manifest.program {
            for path in program.build.sources.iter().chain(&program.build.include) {
                let first = path.split('/').next().unwrap_or_default();
                ensure!(
                    first == "corpus" || manifest.package.iter().any(|package| package.name == first),
                    "{}: {path} is in no package of the manifest",
                    program.name
                );
            }
        }
        Ok(manifest)
    }

    /// The packages that a program is built from.
    pub fn packages_of(&self, program: &Program) -> Vec<&Package> {
        let uses = |package: &&Package| {
            let prefix = format!("{}/", package.name);
            program.build.sources.iter().any(|source| source.starts_with(&prefix))
        };
        self.package.iter().filter(uses).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_this_checkout_reads() {
        let manifest = Manifest::read().unwrap();
        for program in &manifest.program {
            assert!(!manifest.packages_of(program).is_empty(), "{} has no package", program.name);
        }
    }

    #[test]
    fn a_path_outside_every_package_is_refused() {
        let text = "package = []\n[[program]]\nname = 'p'\nabout = ''\nrun = []\n[program.build]\nsources = ['q/a.c']\ncflags = []";
        assert_eq!(
            Manifest::parse(text).unwrap_err().to_string(),
            "p: q/a.c is in no package of the manifest"
        );
    }
}
