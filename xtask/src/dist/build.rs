//! Builds the products so that they are the same wherever and whenever they are built.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::glibc::{self, Version};
use super::{crates, zig};
use crate::cargo;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const PRODUCTS: [&str; 3] = ["allocscc", "allocs", "liballocs_preload.so"];

/// What was built.
pub(super) struct Built {
    /// The directory that holds the products.
    pub(super) dir: PathBuf,
    /// The oldest glibc that runs them all.
    pub(super) glibc: Version,
}

/// Builds the products; the tools by the linker of this host only if that is asked for.
pub(super) fn build(host_libc: bool) -> Result<Built> {
    let target = cargo::target()?.join("dist-build");
    // The library calls nothing that is newer, and its linker must know `-z initfirst`, which zig's does not.
    cargo_build("allocs-runtime", &target, None)?;
    let linker = if host_libc { None } else { Some(zig::linker(glibc::OLDEST)?) };
    // Cargo stops where it was called from as soon as its linker fails, so a second one does not find half a file.
    cargo_build("allocscc", &target, linker.as_deref())?;
    let dir = target.join(TARGET).join("dist");
    let mut newest = glibc::OLDEST;
    for product in PRODUCTS {
        let needed = glibc::needed_by(&dir.join(product))?;
        ensure!(
            needed <= glibc::OLDEST || host_libc,
            "{product} needs glibc {needed}, not just {}",
            glibc::OLDEST
        );
        newest = newest.max(needed);
    }
    Ok(Built { dir, glibc: newest })
}

fn cargo_build(package: &str, target: &Path, linker: Option<&Path>) -> Result<()> {
    let command = cargo::cargo([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "dist",
        "--target",
        TARGET,
        "--package",
        package,
    ])?;
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        // Takes the place of whatever flags the user's settings have. What runs during the build does not get them.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(linker)?)
        .run()
        .with_context(|| format!("{package} does not build"))?;
    Ok(())
}

/// Compiler flags, separated as cargo wants them. No path of this machine stays in what is built.
fn flags(linker: Option<&Path>) -> Result<OsString> {
    let mut flags: Vec<Vec<u8>> = Vec::new();
    let mut remap = |from: &Path, to: &str| {
        flags.push([b"--remap-path-prefix=", from.as_os_str().as_bytes(), b"=", to.as_bytes()].concat());
    };
    for directory in crates::directories()? {
        remap(&directory, "/crates");
    }
    remap(&cargo::root()?, "/liballocs");
    remap(&cargo::target()?, "/liballocs/target");
    // Cargo's `strip` leaves a shared object its names.
    flags.push(b"-Clink-arg=-Wl,--strip-all".to_vec());
    if let Some(linker) = linker {
        flags.push([b"-Clinker=", linker.as_os_str().as_bytes()].concat());
        // The compiler's own linker is not to be used in zig's place.
        flags.push(b"-Clinker-features=-lld".to_vec());
    }
    Ok(OsString::from_vec(flags.join(&0x1f)))
}
