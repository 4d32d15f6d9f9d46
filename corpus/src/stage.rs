//! The staged prefix: `bin/allocscc`, `bin/allocs`, `lib/liballocs_preload.so`, `include/`, and what else is installed.
//!
//! `cargo xtask` stages once and names the prefix in [`STAGE`]; a plain `cargo test` stages here, under a file lock.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{child, places, tools};

/// Names the staged prefix.
pub const STAGE: &str = "ALLOCS_STAGE";

/// The products, as a user has them after installation.
#[derive(Debug, Clone)]
pub struct Stage(PathBuf);

impl Stage {
    /// The prefix that [`STAGE`] names, else a freshly staged one.
    pub fn ready() -> Result<Self> {
        let stage = match env::var_os(STAGE) {
            Some(prefix) => Self(PathBuf::from(prefix)),
            None => Self::make()?,
        };
        for file in [stage.allocscc(), stage.allocs(), stage.library()] {
            ensure!(
                file.is_file(),
                "{} is missing: run `cargo xtask install --prefix {}`",
                file.display(),
                stage.0.display()
            );
        }
        preloadable(&stage.library())?;
        Ok(stage)
    }

    fn make() -> Result<Self> {
        let prefix = places::target().join("stage");
        fs::create_dir_all(places::kept())?;
        let lock = File::create(places::kept().join("stage.lock"))?;
        lock.lock().context("cannot lock the staged prefix")?;
        let stage = Self(prefix);
        stage.install(&[]).context("cannot stage the products")?;
        Ok(stage)
    }

    /// Installs with the libraries in this directory below another prefix.
    pub fn elsewhere(prefix: &Path, libdir: &str) -> Result<Self> {
        let stage = Self(prefix.to_owned());
        stage.install(&["--libdir", libdir])?;
        Ok(stage)
    }

    fn install(&self, options: &[&str]) -> Result<()> {
        let mut cargo = Command::new(tools::find("cargo")?);
        cargo.current_dir(places::root()).args(["run", "--quiet", "--package", "xtask", "--", "install"]);
        child::must(cargo.args(options).arg("--prefix").arg(&self.0)).map(drop)
    }

    /// Where everything is.
    pub fn prefix(&self) -> &Path {
        &self.0
    }

    /// The compiler driver.
    pub fn allocscc(&self) -> PathBuf {
        self.0.join("bin/allocscc")
    }

    /// The compiler driver for C++.
    pub fn allocscc_cplusplus(&self) -> PathBuf {
        self.0.join("bin/allocscc++")
    }

    /// The command-line tool.
    pub fn allocs(&self) -> PathBuf {
        self.0.join("bin/allocs")
    }

    /// The run-time library.
    pub fn library(&self) -> PathBuf {
        self.0.join("lib/liballocs_preload.so")
    }

    /// The C headers.
    pub fn include(&self) -> PathBuf {
        self.0.join("include")
    }
}

/// The dynamic linker splits its list of libraries there, and nothing protects such a character.
fn preloadable(library: &Path) -> Result<()> {
    let is_split = library.to_string_lossy().contains([' ', ':']);
    ensure!(
        !is_split,
        "{} cannot be preloaded, because its path has a space or a colon: use a checkout or a CARGO_TARGET_DIR without one",
        library.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_the_dynamic_linker_would_split_is_refused() {
        preloadable(Path::new("/a/lib/liballocs_preload.so")).unwrap();
        for path in ["/a b/liballocs_preload.so", "/a:b/liballocs_preload.so"] {
            assert!(preloadable(Path::new(path)).unwrap_err().to_string().contains("cannot be preloaded"));
        }
    }
}
