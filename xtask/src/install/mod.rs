//! `cargo xtask install`: builds the products and lays them out below a prefix.

mod layout;
mod place;

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cargo;
pub(crate) use layout::Layout;
use layout::{Contents, File, MANIFEST};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The directory that gets bin, lib, include and share
    #[arg(long)]
    prefix: PathBuf,
    /// Where libraries go below it: `lib/x86_64-linux-gnu` on Debian, `lib64` on Fedora
    #[arg(long, default_value = "lib", value_parser = below)]
    libdir: PathBuf,
    /// Puts everything below this directory, as if it were the root
    #[arg(long)]
    destdir: Option<PathBuf>,
    /// Takes away what an earlier call has put below the prefix
    #[arg(long, conflicts_with = "destdir")]
    uninstall: bool,
}

/// A directory below the prefix.
fn below(text: &str) -> Result<PathBuf> {
    let path = PathBuf::from(text);
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(is_below && !text.is_empty(), "not a directory below the prefix, such as lib");
    Ok(path)
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.uninstall {
        return uninstall(&options.prefix);
    }
    let layout = Layout { libdir: options.libdir.clone(), ..Layout::new(build()?).at(&options.prefix) };
    match &options.destdir {
        Some(destdir) => {
            let prefix = options.prefix.strip_prefix("/").context("with --destdir the prefix is absolute")?;
            lay_out(&layout, &destdir.join(prefix))
        }
        None => install(&layout, &options.prefix),
    }
}

/// Installs to the prefix that tests use, and returns it.
pub(crate) fn stage() -> Result<PathBuf> {
    let prefix = cargo::target()?.join("stage");
    install(&Layout::new(build()?), &prefix)?;
    Ok(prefix)
}

/// Puts all files below the prefix. For a package, which knows its files by itself.
pub(crate) fn lay_out(layout: &Layout, prefix: &Path) -> Result<()> {
    layout.files()?.iter().try_for_each(|file| put(file, prefix))
}

/// Puts all files below the prefix with a list of them, so that those of an earlier version can be taken away.
fn install(layout: &Layout, prefix: &Path) -> Result<()> {
    let files = layout.files()?;
    for old in listed(prefix)? {
        if !files.iter().any(|file| file.path == old) {
            place::remove(prefix, &old)?;
        }
    }
    files.iter().try_for_each(|file| put(file, prefix))?;
    put(&layout::manifest(&files), prefix)
}

fn uninstall(prefix: &Path) -> Result<()> {
    let files = listed(prefix)?;
    ensure!(!files.is_empty(), "{} lists nothing that was installed", prefix.join(MANIFEST).display());
    files.iter().try_for_each(|file| place::remove(prefix, file))?;
    place::remove(prefix, Path::new(MANIFEST))
}

/// What an earlier call has put below the prefix.
fn listed(prefix: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_to_string(prefix.join(MANIFEST)).unwrap_or_default();
    list.lines().map(|line| below(line).with_context(|| format!("{MANIFEST} lists {line}"))).collect()
}

fn put(file: &File, prefix: &Path) -> Result<()> {
    let to = prefix.join(&file.path);
    match &file.contents {
        Contents::Plain(bytes) => place::put(bytes, 0o644, &to),
        Contents::Program(bytes) => place::put(bytes, 0o755, &to),
        Contents::Link(target) => place::link(target, &to),
    }
}

/// Builds the products and returns the directory that holds them.
fn build() -> Result<PathBuf> {
    cargo::cargo(["build", "--quiet", "--release", "--package", "allocscc", "--package", "allocs-runtime"])?
        .run()
        .context("the products do not build")?;
    Ok(cargo::target()?.join("release"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_go_below_the_prefix() {
        assert_eq!(below("lib/x86_64-linux-gnu").unwrap(), Path::new("lib/x86_64-linux-gnu"));
        for wrong in ["", "/usr/lib", "../lib", "lib/../../x"] {
            assert!(below(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_listed_goes_and_what_is_not_stays() {
        let prefix = tempfile::tempdir().unwrap();
        let path = |name: &str| prefix.path().join(name);
        let file = |name: &str| File::plain(name, name.into());
        let files = [file("include/ours.h"), file("share/liballocs/x")];
        for file in files.iter().chain([&layout::manifest(&files)]) {
            put(file, prefix.path()).unwrap();
        }
        fs::write(path("include/theirs.h"), "").unwrap();
        uninstall(prefix.path()).unwrap();
        assert!(path("include/theirs.h").is_file() && !path("include/ours.h").exists());
        assert!(!path("share").exists());
        assert!(uninstall(prefix.path()).unwrap_err().to_string().contains("lists nothing"));
    }
}
