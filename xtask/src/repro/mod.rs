//! `cargo xtask repro`: makes the products twice in surroundings that differ, and compares them bit by bit.

mod compare;
mod surroundings;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::{cargo, dist};
use surroundings::Surroundings;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Keeps the two checkouts
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let start = Instant::now();
    let sums = twice(options.keep)?;
    println!("identical, in {} s:\n{sums}", start.elapsed().as_secs());
    Ok(())
}

/// For `cargo xtask package-test`.
pub(crate) fn check() -> Result<String> {
    Ok(format!("{} files", twice(false)?.lines().count()))
}

/// Makes the products twice and returns the checksums if both times they are the same.
fn twice(keep: bool) -> Result<String> {
    let place = cargo::target()?.join("repro");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let (first, second) = (Surroundings::usual(&place), Surroundings::other(&place)?);
    // All before the first build, which takes its time: somebody may change a file meanwhile.
    for surroundings in [&first, &second] {
        surroundings.copy_checkout()?;
        dist::lend_linker(&surroundings.target())?;
    }
    let xtask = place.join("xtask");
    fs::copy("/proc/self/exe", &xtask)?;
    for (surroundings, ordinal) in [(&first, "first"), (&second, "second")] {
        eprintln!("the {ordinal} build: {surroundings}");
        surroundings.make(&xtask)?;
    }
    let found = directories(&first.products(), &second.products())?;
    ensure!(found.is_empty(), "they differ:\n{}", found.join("\n"));
    let sums = fs::read_to_string(first.products().join("SHA256SUMS"))?;
    if !keep {
        fs::remove_dir_all(&place)?;
    }
    Ok(sums)
}

/// Compares the files of two directories; each difference is a line that says where it lies.
pub(crate) fn directories(first: &Path, second: &Path) -> Result<Vec<String>> {
    let names = |dir: &Path| -> Result<BTreeSet<_>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let (ours, theirs) = (names(first)?, names(second)?);
    ensure!(!ours.is_empty(), "{} is empty", first.display());
    let mut found: Vec<String> =
        ours.symmetric_difference(&theirs).map(|name| format!("{name}: only one build made it")).collect();
    for name in ours.intersection(&theirs) {
        found.extend(compare::compare(name, &fs::read(first.join(name))?, &fs::read(second.join(name))?)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_one_build_is_a_difference() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for dir in [&first, &second] {
            fs::write(dir.path().join("same"), "same").unwrap();
        }
        assert!(directories(first.path(), second.path()).unwrap().is_empty());
        fs::write(second.path().join("more"), "").unwrap();
        fs::write(second.path().join("same"), "sane").unwrap();
        let found = directories(first.path(), second.path()).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("more: only one"));
    }
}
