//! The linker for the tools: zig's, which brings the interface of an older glibc. It comes from PyPI with a pinned checksum.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use duct::cmd;

use super::glibc::Version;
use crate::cargo;

/// The name and version, for the list of what is in the products.
pub(super) fn package() -> Result<(String, String)> {
    let pins = fs::read_to_string(pins()?)?;
    let pin = pins.lines().find_map(|line| line.split(' ').next()?.split_once("=="));
    let (name, version) = pin.context("dist/zig.txt pins no version")?;
    Ok((name.to_owned(), version.to_owned()))
}

/// A program that links as `cc` does, for that glibc.
pub(super) fn linker(glibc: Version) -> Result<PathBuf> {
    let place = place(&cargo::target()?)?;
    need(&place)?;
    let linker = place.join("cc");
    let script = script(&place, glibc)?;
    if !fs::read(&linker).is_ok_and(|old| old == script.as_bytes()) {
        fs::write(&linker, script)?;
        fs::set_permissions(&linker, Permissions::from_mode(0o755))?;
    }
    Ok(linker)
}

/// Gives another checkout's target directory what was downloaded for this one, and nothing that was made of it.
pub(crate) fn lend(target: &Path) -> Result<()> {
    let (ours, theirs) = (place(&cargo::target()?)?, place(target)?);
    need(&ours)?;
    fs::create_dir_all(&theirs)?;
    cmd!("cp", "--recursive", "--link", ours.join("ziglang"), &theirs)
        .run()
        .context("cannot lend the linker")?;
    Ok(())
}

/// A file of the unpacked package, which is there once the linker was made.
pub(super) fn file(name: &str) -> Result<PathBuf> {
    Ok(place(&cargo::target()?)?.join("ziglang").join(name))
}

fn place(target: &Path) -> Result<PathBuf> {
    let (name, version) = package()?;
    Ok(target.join(format!("{name}-{version}")))
}

fn need(place: &Path) -> Result<()> {
    if place.join("ziglang/zig").is_file() {
        return Ok(());
    }
    fetch(place).context(
        "the linker for an old glibc is not to be had; with --host-libc the tools are linked with this host's C \
         library instead, and need one as new as that",
    )
}

fn fetch(place: &Path) -> Result<()> {
    ensure!(
        cmd!("python3", "-m", "pip", "--version").stdout_null().stderr_null().run().is_ok(),
        "python3 has no pip (Debian's python3-pip), which downloads zig"
    );
    let parent = place.parent().context("the target directory has a parent")?;
    fs::create_dir_all(parent)?;
    let temporary = tempfile::Builder::new().prefix("zig").tempdir_in(parent)?;
    let unpacked = temporary.path().join("unpacked");
    eprintln!("downloading zig");
    let words = "-m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
                 --only-binary=:all: --require-hashes --requirement";
    let mut words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
    words.extend([pins()?.into(), "--target".into(), unpacked.clone().into()]);
    cmd("python3", words).stdout_to_stderr().run().context("pip cannot install what dist/zig.txt pins")?;
    match fs::rename(&unpacked, place) {
        Ok(()) => Ok(()),
        Err(error) if !place.exists() => bail!("cannot make {}: {error}", place.display()),
        Err(_) => Ok(()), // Another run was faster.
    }
}

fn script(place: &Path, glibc: Version) -> Result<String> {
    let place = place
        .to_str()
        .filter(|path| !path.contains('\''))
        .context("the target directory's path has a quote, or is no text")?;
    Ok(format!(
        "#!/bin/sh\n\
         export ZIG_GLOBAL_CACHE_DIR='{place}/cache' ZIG_LOCAL_CACHE_DIR='{place}/cache'\n\
         exec '{place}/ziglang/zig' cc -target x86_64-linux-gnu.{glibc} \"$@\"\n"
    ))
}

fn pins() -> Result<PathBuf> {
    Ok(cargo::root()?.join("dist/zig.txt"))
}
