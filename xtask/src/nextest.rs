//! The test runner: `cargo nextest` where it is installed, else our own front end of the same library.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use duct::{Expression, cmd};

use crate::cargo;

/// A program that understands nextest's commands.
pub(crate) enum Runner {
    Installed,
    Own(PathBuf),
}

impl Runner {
    /// The installed one, or our own, which is built where it is not there yet.
    pub(crate) fn ready(own: bool) -> Result<Self> {
        let installed = if own { None } else { Self::installed() };
        installed.map_or_else(|| build().map(Self::Own), Ok)
    }

    /// The installed one.
    pub(crate) fn installed() -> Option<Self> {
        let asked = cmd(cargo::program(), ["nextest", "--version"]).stdout_null().stderr_null().run();
        asked.ok().map(|_| Self::Installed)
    }

    /// A command of it.
    pub(crate) fn command<S: Into<OsString>>(&self, words: impl IntoIterator<Item = S>) -> Expression {
        let words = words.into_iter().map(Into::into);
        match self {
            Self::Installed => cmd(cargo::program(), [OsString::from("nextest")].into_iter().chain(words)),
            Self::Own(path) => cmd(path, words),
        }
    }
}

/// Builds our own runner, with a target directory of its own: a change of the products' dependencies does not touch it.
pub(crate) fn build() -> Result<PathBuf> {
    let manifest = cargo::root()?.join("xtask/runner/Cargo.toml");
    let target = cargo::target()?.join("runner");
    let executable = target.join("debug/allocs-test-runner");
    if !executable.is_file() {
        eprintln!("building the test runner, once; that takes some minutes");
    }
    let options = [OsString::from("--manifest-path"), manifest.into(), "--target-dir".into(), target.into()];
    let words = ["build", "--quiet", "--locked"].into_iter().map(OsString::from).chain(options);
    cmd(cargo::program(), words).run().context("the test runner does not build")?;
    Ok(executable)
}
