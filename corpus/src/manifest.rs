//! `corpus.lock.toml`: what each program is, where its sources come from, how it is built, what it runs.

use std::collections::BTreeMap;
use std::{env, fs};

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
    /// How the archive is compressed, where the registry leaves it open: Debian's may be `gz`, `xz` or `bz2`.
    pub compression: Option<String>,
}

impl Package {
    /// The file name of its archive.
    pub fn archive(&self) -> String {
        match self.registry {
            Registry::Crates => format!("{}-{}.crate", self.name, self.version),
            Registry::Debian => {
                let compression = self.compression.as_deref().unwrap_or("gz");
                format!("{}_{}.orig.tar.{compression}", self.name, self.version)
            }
        }
    }
}

/// A kind of registry, reached only through its ordinary client.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// Cargo's default registry.
    Crates,
    /// Debian's source packages. Only the archive of the upstream authors is taken, without Debian's changes: that one stays
    /// when a new revision replaces the old one.
    Debian,
}

/// One program of the corpus.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The name of the test, of the executable and of the snapshot.
    pub name: String,
    /// What it is and why it is here.
    pub about: String,
    /// 1: every run of the corpus has it. 2: only `--tier 2` and `--tier all`.
    #[serde(default = "first_tier")]
    pub tier: u8,
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
    #[serde(default)]
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
    /// The package's own way to build it, in place of `sources`.
    pub tree: Option<Tree>,
}

/// A build by the package's own scripts, in a copy of the unpacked packages.
///
/// Commands are lines for `sh`, run in a directory that holds each package under its name. They find the compiler in `CC`, all
/// its flags in `CFLAGS`, the number of processors in `JOBS` and the directory `corpus/mains` in `MAINS`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The packages in it.
    pub packages: Vec<String>,
    /// What is run once, with the plain compiler: the result is the same for all compilers.
    #[serde(default)]
    pub configure: Vec<String>,
    /// What is run with each compiler.
    pub make: Vec<String>,
    /// The linked program, by its path from that directory.
    pub executable: String,
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
    /// A file or a directory of a package, as it is.
    Package {
        /// Its path, which starts with the name of the package.
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
    /// Its environment beyond the few variables that every step has.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
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

/// Names the tiers to run: `1`, `2` or `all`. Unset is `1`.
pub const TIER: &str = "ALLOCS_CORPUS_TIER";

impl Manifest {
    /// The programs of the tiers that [`TIER`] names.
    pub fn chosen(&self) -> Result<impl Iterator<Item = &Program>> {
        let tier: Option<u8> = match env::var(TIER).as_deref() {
            Ok("all") => None,
            Ok(tier) => {
                Some(tier.parse().with_context(|| format!("{TIER} is {tier}, neither 1, 2 nor all"))?)
            }
            Err(_) => Some(1),
        };
        Ok(self.program.iter().filter(move |program| tier.is_none_or(|tier| tier == program.tier)))
    }

    /// Reads the manifest of this checkout.
    pub fn read() -> Result<Self> {
        let path = places::corpus().join("corpus.lock.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        for program in &manifest.program {
            for path in program.build.paths().chain(program.inputs()) {
                let first = path.split('/').next().unwrap_or_default();
                ensure!(
                    first == "corpus" || manifest.package.iter().any(|package| package.name == first),
                    "{}: {path} is in no package of the manifest",
                    program.name
                );
            }
            ensure!(
                program.build.sources.is_empty() == program.build.tree.is_some(),
                "{}: a program is built from either `sources` or a `tree`",
                program.name
            );
        }
        Ok(manifest)
    }

    /// The package of this name.
    pub fn package(&self, name: &str) -> Result<&Package> {
        let found = self.package.iter().find(|package| package.name == name);
        found.with_context(|| format!("the manifest has no package {name}"))
    }

    /// The packages that a program is built from and takes its input from.
    pub fn packages_of(&self, program: &Program) -> Vec<&Package> {
        let uses = |package: &&Package| {
            let is_in = |path: &str| path.split('/').next() == Some(&package.name);
            program.build.paths().chain(program.inputs()).any(is_in)
        };
        self.package.iter().filter(uses).collect()
    }
}

impl Program {
    /// The input that packages hold.
    fn inputs(&self) -> impl Iterator<Item = &str> {
        self.input.iter().filter_map(|input| match &input.content {
            Content::Package { from } => Some(from.as_str()),
            _ => None,
        })
    }
}

impl Build {
    /// Everything that is named by a path whose first component is a package.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let packages = self.tree.iter().flat_map(|tree| &tree.packages);
        self.sources.iter().chain(&self.include).chain(packages).map(String::as_str)
    }
}

fn first_tier() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_this_checkout_reads() {
        let manifest = Manifest::read().unwrap();
        for program in &manifest.program {
            let ours = program.build.sources.iter().all(|source| source.starts_with("corpus/"));
            let packages = manifest.packages_of(program);
            assert!(!packages.is_empty() || ours && program.tier == 2, "{} has no package", program.name);
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

    #[test]
    fn a_program_has_one_way_to_be_built() {
        let check = |build: &str, expect: bool| {
            let text = format!(
                "package = []\n[[program]]\nname = 'p'\nabout = ''\nrun = []\n[program.build]\ncflags = []\n{build}"
            );
            let manifest = Manifest::parse(&text);
            assert_eq!(manifest.is_ok(), expect, "{build}");
        };
        let tree = "[program.build.tree]\npackages = []\nmake = ['make']\nexecutable = 'p'";
        check("sources = ['corpus/mains/p.c']", true);
        check(tree, true);
        check(&format!("sources = ['corpus/mains/p.c']\n{tree}"), false);
        check("", false);
    }
}
