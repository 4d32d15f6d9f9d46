//! `cargo xtask install`: builds the products and lays them out below a prefix.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The directory that gets bin, lib, include and share
    #[arg(long)]
    prefix: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    install(&options.prefix)
}

/// Installs to the prefix that tests use, and returns it.
pub(crate) fn stage() -> Result<PathBuf> {
    let prefix = cargo::target()?.join("stage");
    install(&prefix)?;
    Ok(prefix)
}

fn install(prefix: &Path) -> Result<()> {
    cargo::cargo(["build", "--quiet", "--release", "--package", "allocscc", "--package", "allocs-runtime"])?
        .run()
        .context("the products do not build")?;
    let (root, built) = (cargo::root()?, cargo::target()?.join("release"));
    put(&built.join("allocscc"), &prefix.join("bin/allocscc"))?;
    put(&built.join("allocs"), &prefix.join("bin/allocs"))?;
    put(&built.join("liballocs_preload.so"), &prefix.join("lib/liballocs_preload.so"))?;
    put_all(&root.join("runtime/include"), &prefix.join("include"))?;
    let documents = prefix.join("share/doc/allocs");
    for entry in fs::read_dir(&root)? {
        let name = entry?.file_name();
        if ["README", "ARCHITECTURE", "LICENSE"].iter().any(|start| name.to_string_lossy().starts_with(start))
        {
            put(&root.join(&name), &documents.join(&name))?;
        }
    }
    put_all(&root.join("corpus/programs/examples"), &documents.join("examples"))
}

/// Copies a file under a temporary name and renames it: a program that runs it now keeps the old one. A file that is
/// the same already stays, so that what was built with it stays valid.
fn put(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let dir = to.parent().context("a file is installed into a directory")?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let temporary = tempfile::NamedTempFile::new_in(dir)?;
    fs::write(temporary.path(), bytes)?;
    fs::set_permissions(temporary.path(), fs::metadata(from)?.permissions())?;
    temporary.persist(to).map(drop).with_context(|| format!("cannot write {}", to.display()))
}

/// Makes a directory hold exactly the files of another one.
fn put_all(from: &Path, to: &Path) -> Result<()> {
    let names = |dir: &Path| -> Result<Vec<_>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()
    };
    let wanted = names(from).with_context(|| format!("cannot list {}", from.display()))?;
    for name in &wanted {
        put(&from.join(name), &to.join(name))?;
    }
    for name in names(to).unwrap_or_default().iter().filter(|name| !wanted.contains(name)) {
        fs::remove_file(to.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_equal_and_what_is_equal_stays() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::write(from.join("kept"), "same").unwrap();
        fs::write(from.join("old"), "old").unwrap();
        put_all(&from, &to).unwrap();
        let installed = |name: &str| fs::metadata(to.join(name)).and_then(|data| data.modified());
        let time = installed("kept").unwrap();
        fs::rename(from.join("old"), from.join("new")).unwrap();
        put_all(&from, &to).unwrap();
        assert_eq!(installed("kept").unwrap(), time);
        assert!(installed("old").is_err() && installed("new").is_ok());
    }
}
