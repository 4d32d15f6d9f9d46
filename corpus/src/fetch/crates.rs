//! Packages of Cargo's registry, by `cargo fetch`.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::manifest::{Manifest, Package, Registry};
use crate::{child, places, tools};

/// The archive in the client's own cache. The client is asked for it when it is not there.
pub(super) fn archive(manifest: &Manifest, package: &Package) -> Result<PathBuf> {
    if let Some(found) = cached(package)? {
        return Ok(found);
    }
    fetch(manifest)?;
    cached(package)?.context("cargo fetched it, but its archive is not in CARGO_HOME/registry/cache")
}

fn cached(package: &Package) -> Result<Option<PathBuf>> {
    let home = match (env::var_os("CARGO_HOME"), env::var_os("HOME")) {
        (Some(cargo_home), _) => PathBuf::from(cargo_home),
        (None, Some(home)) => PathBuf::from(home).join(".cargo"),
        (None, None) => bail!("neither CARGO_HOME nor HOME is set"),
    };
    let name = package.archive();
    let registries = fs::read_dir(home.join("registry/cache")).into_iter().flatten().flatten();
    Ok(registries.map(|registry| registry.path().join(&name)).find(|archive| archive.is_file()))
}

/// Lets `cargo fetch` get every package of the manifest that is in this registry, as dependencies of an empty project.
fn fetch(manifest: &Manifest) -> Result<()> {
    let project = places::kept().join("fetch");
    fs::create_dir_all(project.join("src"))?;
    let lock = File::create(project.join("lock"))?;
    lock.lock().context("cannot lock the fetch project")?;
    let mut text = String::from(
        "[workspace]\n[package]\nname = \"corpus-sources\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n",
    );
    for package in manifest.package.iter().filter(|package| matches!(package.registry, Registry::Crates)) {
        let requirement = package.version.split('+').next().unwrap_or_default();
        writeln!(text, "{} = {{ version = \"={requirement}\", default-features = false }}", package.name)?;
    }
    fs::write(project.join("Cargo.toml"), text)?;
    fs::write(project.join("src/lib.rs"), "")?;
    let mut cargo = Command::new(tools::find("cargo")?);
    cargo.arg("fetch").current_dir(&project).args(super::is_offline().then_some("--offline"));
    child::must(&mut cargo).context("cargo could not fetch the corpus packages").map(drop)
}
