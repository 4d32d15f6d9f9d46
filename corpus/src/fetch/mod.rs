//! Pinned source packages: fetched by the ordinary client of their registry, or given as a directory of archives; checked,
//! unpacked once.

mod crates;
mod debian;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;

use crate::manifest::{Manifest, Package, Registry};
use crate::{cache, child, places, tools};

/// Set to 1, it forbids the network.
pub const OFFLINE: &str = "ALLOCS_CORPUS_OFFLINE";

/// Names a directory of archives, by [`Package::archive`], for builds without a network and without clients.
pub const ARCHIVES: &str = "ALLOCS_CORPUS_ARCHIVES";

/// The unpacked sources of a package, unmodified.
pub fn sources(manifest: &Manifest, package: &Package) -> Result<PathBuf> {
    let entry = places::kept().join("src").join(format!("{}-{}", package.name, &package.sha256[..12]));
    cache::directory(&entry, |dir| {
        let archive = archive(manifest, package)?;
        check_sum(package, &cache::sha256_of(&archive)?)?;
        match package.registry {
            Registry::Crates => unpack(&archive, &format!("{}-{}", package.name, package.version), dir),
            Registry::Debian => unpack_upstream(&archive, dir),
        }
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

/// The package's archive: in the directory that [`ARCHIVES`] names, else from the client.
fn archive(manifest: &Manifest, package: &Package) -> Result<PathBuf> {
    if let Some(dir) = env::var_os(ARCHIVES) {
        return given(Path::new(&dir), package);
    }
    match package.registry {
        Registry::Crates => crates::archive(manifest, package),
        Registry::Debian => debian::archive(package),
    }
}

fn given(dir: &Path, package: &Package) -> Result<PathBuf> {
    let archive = dir.join(package.archive());
    ensure!(archive.is_file(), "{ARCHIVES} is set, but there is no {}", archive.display());
    Ok(archive)
}

fn is_offline() -> bool {
    env::var_os(OFFLINE).is_some_and(|value| value == "1")
}

/// Unpacks an archive of upstream authors, with or without a top directory of any name. Times are kept: `make` goes by them.
fn unpack_upstream(archive: &Path, dir: &Path) -> Result<()> {
    let tool = match archive.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => "gzip",
        Some("xz") => "xz",
        Some("bz2") => "bzip2",
        other => bail!("no tool is known for an archive compressed with {other:?}"),
    };
    let whole = dir.join(".unpacked");
    fs::create_dir(&whole)?;
    let mut tar = Command::new(tools::find("tar")?);
    tar.arg("--use-compress-program").arg(tools::find(tool)?).arg("-xf").arg(archive);
    child::must(tar.args(["--no-same-owner", "--no-same-permissions", "-C"]).arg(&whole))?;
    let entries =
        |dir: &Path| -> Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut parts = entries(&whole)?;
    if let [top] = &parts[..]
        && top.is_dir()
    {
        parts = entries(top)?;
    }
    for part in parts {
        fs::rename(&part, dir.join(part.file_name().context("an entry has a name")?))?;
    }
    Ok(fs::remove_dir_all(whole)?)
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
            compression: None,
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
    fn an_upstream_archive_may_have_a_top_directory() {
        for members in ["top/a.c top/lib/b.c", "a.c lib/b.c"] {
            let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let script =
                format!("for f in {members}; do mkdir -p $(dirname $f); echo >$f; done; tar -czf x.tar.gz *");
            child::must(Command::new("sh").args(["-ec", &script]).current_dir(from.path())).unwrap();
            unpack_upstream(&from.path().join("x.tar.gz"), to.path()).unwrap();
            assert!(to.path().join("a.c").is_file() && to.path().join("lib/b.c").is_file(), "{members}");
            assert_eq!(fs::read_dir(to.path()).unwrap().count(), 2, "{members}");
        }
    }

    #[test]
    fn a_bad_checksum_names_the_package_and_both_sums() {
        let package = package();
        let error = check_sum(&package, "bb").unwrap_err().to_string();
        assert_eq!(error, "the checksum of bzip2-sys is wrong: the manifest says aa, the archive has bb");
        assert!(check_sum(&package, "aa").is_ok());
    }
}
