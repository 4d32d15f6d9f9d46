//! Pinned source packages: fetched by the ordinary `cargo` client, or given as a directory of archives; checked, unpacked once.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;

use crate::manifest::{Manifest, Package, Registry};
use crate::{cache, child, places, tools};

/// Set to 1, it forbids the network.
pub const OFFLINE: &str = "ALLOCS_CORPUS_OFFLINE";

/// Names a directory of archives, `NAME-VERSION.crate`, for builds without a network and without cargo.
pub const ARCHIVES: &str = "ALLOCS_CORPUS_ARCHIVES";

/// The unpacked sources of a package, unmodified.
pub fn sources(manifest: &Manifest, package: &Package) -> Result<PathBuf> {
    let entry = places::kept().join("src").join(format!("{}-{}", package.name, &package.sha256[..12]));
    cache::directory(&entry, |dir| {
        let archive = archive(manifest, package)?;
        check_sum(package, &cache::sha256_of(&archive)?)?;
        unpack(&archive, &format!("{}-{}", package.name, package.version), dir)
    })
    .with_context(|| format!("package {} {}", package.name, package.version))
}

fn check_sum(package: &Package, found: &str) -> Result<()> {
    ensure!(
        found == package.sha256,
        "the checksum of {} is wrong: the manifest says {}, the archive has {found}",
        package.name,
        package.sha256
    );
    Ok(())
}

/// The package's archive: in the directory that [`ARCHIVES`] names, else in the client's own cache. The client is asked
/// for it when it is not there.
fn archive(manifest: &Manifest, package: &Package) -> Result<PathBuf> {
    let Registry::Crates = package.registry;
    if let Some(dir) = env::var_os(ARCHIVES) {
        return given(Path::new(&dir), package);
    }
    if let Some(found) = cached(package)? {
        return Ok(found);
    }
    fetch(manifest)?;
    cached(package)?.context("cargo fetched it, but its archive is not in CARGO_HOME/registry/cache")
}

fn given(dir: &Path, package: &Package) -> Result<PathBuf> {
    let archive = dir.join(file_name(package));
    ensure!(archive.is_file(), "{ARCHIVES} is set, but there is no {}", archive.display());
    Ok(archive)
}

fn file_name(package: &Package) -> String {
    format!("{}-{}.crate", package.name, package.version)
}

fn cached(package: &Package) -> Result<Option<PathBuf>> {
    let home = match (env::var_os("CARGO_HOME"), env::var_os("HOME")) {
        (Some(cargo_home), _) => PathBuf::from(cargo_home),
        (None, Some(home)) => PathBuf::from(home).join(".cargo"),
        (None, None) => bail!("neither CARGO_HOME nor HOME is set"),
    };
    let name = file_name(package);
    let registries = fs::read_dir(home.join("registry/cache")).into_iter().flatten().flatten();
    Ok(registries.map(|registry| registry.path().join(&name)).find(|archive| archive.is_file()))
}

/// Lets `cargo fetch` get every package of the manifest, as dependencies of an empty project.
fn fetch(manifest: &Manifest) -> Result<()> {
    let project = places::kept().join("fetch");
    fs::create_dir_all(project.join("src"))?;
    let lock = File::create(project.join("lock"))?;
    lock.lock().context("cannot lock the fetch project")?;
    let mut text = String::from(
        "[workspace]\n[package]\nname = \"corpus-sources\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n",
    );
    for package in &manifest.package {
        let requirement = package.version.split('+').next().unwrap_or_default();
        writeln!(text, "{} = {{ version = \"={requirement}\", default-features = false }}", package.name)?;
    }
    fs::write(project.join("Cargo.toml"), text)?;
    fs::write(project.join("src/lib.rs"), "")?;
    let mut cargo = Command::new(tools::find("cargo")?);
    cargo.arg("fetch").current_dir(&project);
    if env::var_os(OFFLINE).is_some_and(|value| value == "1") {
        cargo.arg("--offline");
    }
    child::must(&mut cargo).context("cargo could not fetch the corpus packages").map(drop)
}

fn unpack(archive: &Path, top: &str, dir: &Path) -> Result<()> {
    let file = File::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let inside =
            path.strip_prefix(top).with_context(|| format!("{} is outside {top}", path.display()))?;
        let target = dir.join(inside);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        ensure!(
            inside.components().all(|part| matches!(part, std::path::Component::Normal(_))),
            "{} leaves its directory",
            path.display()
        );
        entry.unpack(&target).with_context(|| format!("cannot unpack {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        Package {
            name: "bzip2-sys".into(),
            registry: Registry::Crates,
            version: "1.0.0".into(),
            sha256: "aa".into(),
            licence: "MIT".into(),
        }
    }

    #[test]
    fn archives_are_taken_from_a_given_directory() {
        let dir = tempfile::tempdir().unwrap();
        let error = given(dir.path(), &package()).unwrap_err().to_string();
        assert!(error.ends_with("bzip2-sys-1.0.0.crate"), "{error}");
        fs::write(dir.path().join("bzip2-sys-1.0.0.crate"), "").unwrap();
        assert!(given(dir.path(), &package()).unwrap().is_file());
    }

    #[test]
    fn a_bad_checksum_names_the_package_and_both_sums() {
        let package = package();
        let error = check_sum(&package, "bb").unwrap_err().to_string();
        assert_eq!(error, "the checksum of bzip2-sys is wrong: the manifest says aa, the archive has bb");
        assert!(check_sum(&package, "aa").is_ok());
    }
}
