//! The crates that are linked into the products.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::build::TARGET;
use crate::cargo;

/// A crate of others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression.
    pub(super) licence: String,
    /// The checksum of the package in `Cargo.lock`.
    pub(super) sha256: String,
    /// Its unpacked source.
    pub(super) dir: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// The crates of others in the products, sorted by name. Not those that only run during the build.
pub(super) fn linked() -> Result<Vec<Crate>> {
    let linked = tree()?;
    let sums: BTreeMap<(String, String), String> = lock()?
        .package
        .into_iter()
        .filter_map(|package| Some(((package.name, package.version), package.checksum?)))
        .collect();
    let mut crates = Vec::new();
    for package in of_others()? {
        let id = (package.name.clone(), package.version.clone());
        if !linked.contains(&id) {
            continue;
        }
        crates.push(Crate {
            licence: package.license.with_context(|| format!("{} states no licence", package.name))?,
            sha256: sums.get(&id).with_context(|| format!("Cargo.lock has no checksum of {}", id.0))?.clone(),
            dir: package.manifest_path.parent().context("a manifest is in a directory")?.to_owned(),
            name: id.0,
            version: id.1,
        });
    }
    crates.sort();
    Ok(crates)
}

/// The directories that hold the sources of all crates of others, each in a directory of its own.
pub(super) fn directories() -> Result<BTreeSet<PathBuf>> {
    let above = |package: Package| package.manifest_path.ancestors().nth(2).map(PathBuf::from);
    Ok(of_others()?.into_iter().filter_map(above).collect())
}

fn of_others() -> Result<Vec<Package>> {
    let text = cargo::cargo(["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET])?
        .stderr_capture()
        .read()?;
    let metadata: Metadata = serde_json::from_str(&text).context("cargo's metadata has another form")?;
    Ok(metadata.packages.into_iter().filter(|package| package.source.is_some()).collect())
}

/// Names and versions of all crates in the products.
fn tree() -> Result<BTreeSet<(String, String)>> {
    let text = cargo::cargo([
        "tree",
        "--locked",
        "--quiet",
        "--package",
        "allocscc",
        "--package",
        "allocs-runtime",
        "--edges",
        "normal,no-proc-macro",
        "--target",
        TARGET,
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}",
    ])?
    .read()?;
    let parse = |line: &str| -> Option<(String, String)> {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| parse(line).with_context(|| format!("cargo tree prints `{line}`")))
        .collect()
}

fn lock() -> Result<Lock> {
    let text = fs::read_to_string(cargo::root()?.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    toml::from_str(&text).context("Cargo.lock has another form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_and_what_only_builds_or_tests_is_not() {
        let crates = linked().unwrap();
        let has = |name: &str| crates.iter().any(|one| one.name == name);
        assert!(has("gimli") && has("clap"));
        assert!(!has("clap_derive") && !has("syn") && !has("proptest") && !has("allocscc"));
        assert!(crates.iter().all(|one| one.sha256.len() == 64 && one.dir.is_dir()));
    }
}
