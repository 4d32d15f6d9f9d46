//! Builds the products so that they are the same wherever and whenever they are built.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::glibc::{self, Version};
use super::{crates, tree, zig};
use crate::cargo;

/// What the products are for. Named to cargo, it keeps their flags from what runs during the build.
pub(super) const TARGET: &str = "x86_64-unknown-linux-gnu";
const PRODUCTS: [&str; 3] = ["allocscc", "allocs", "liballocs_preload.so"];

/// What was built.
pub(super) struct Built {
    /// The directory that holds the products.
    pub(super) dir: PathBuf,
    /// The oldest glibc that runs them all.
    pub(super) glibc: Version,
    host_libc: bool,
}

impl Built {
    /// The Debian packages that they need. A linker of this host adds one.
    pub(super) fn depends(&self) -> String {
        format!("libc6 (>= {}){}", self.glibc, if self.host_libc { ", libgcc-s1" } else { "" })
    }
}

/// Builds the products; the tools by the linker of this host only if that is asked for.
pub(super) fn build(host_libc: bool) -> Result<Built> {
    let linker = if host_libc { None } else { Some(zig::linker(glibc::OLDEST)?) };
    let tools = cargo_build("allocscc", linker.as_deref())?;
    // The library calls nothing that is newer, and its linker must know `-z initfirst`, which zig's does not.
    let library = cargo_build("allocs-runtime", None)?;
    let dir = cargo::target()?.join("dist-build/products");
    tree::make_empty(&dir)?;
    for (from, name) in [(&library, "liballocs_preload.so"), (&tools, "allocscc"), (&tools, "allocs")] {
        fs::copy(from.join(name), dir.join(name)).with_context(|| format!("{name} was not built"))?;
    }
    let mut newest = glibc::OLDEST;
    for product in PRODUCTS {
        let more = if host_libc { &[glibc::LIBGCC][..] } else { &[] };
        let needed = glibc::needed_besides(more, &dir.join(product))?;
        ensure!(
            needed <= glibc::OLDEST || host_libc,
            "{product} needs glibc {needed}, not just {}",
            glibc::OLDEST
        );
        newest = newest.max(needed);
    }
    Ok(Built { dir, glibc: newest, host_libc })
}

/// Builds a package, in a place of its own: with other flags, cargo would build again what both have in common. Returns
/// the directory with what was built.
fn cargo_build(package: &str, linker: Option<&Path>) -> Result<PathBuf> {
    let target = cargo::target()?.join("dist-build").join(package);
    cargo::cargo([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "dist",
        "--target",
        TARGET,
        "--package",
        package,
    ])?
    .env("CARGO_TARGET_DIR", &target)
    .env("CARGO_INCREMENTAL", "0")
    // Takes the place of whatever flags the user's settings have.
    .env("CARGO_ENCODED_RUSTFLAGS", flags(linker)?)
    .run()
    .with_context(|| format!("{package} does not build"))?;
    Ok(target.join(TARGET).join("dist"))
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
