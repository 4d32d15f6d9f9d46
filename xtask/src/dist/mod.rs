//! `cargo xtask dist`: builds what users get, and packs it, the same bits wherever it is done.

mod build;
mod crates;
mod date;
mod deb;
mod glibc;
mod licences;
mod sbom;
mod tarball;
mod tree;
mod zig;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use duct::cmd;

use crate::{cargo, install};
use date::Date;
pub(crate) use glibc::needed_by;
use install::Layout;
pub(crate) use zig::lend as lend_linker;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Links the tools with this host's C library; what comes out needs one as new, and says so
    #[arg(long)]
    host_libc: bool,
}

/// The version of all products.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(options: &Options) -> Result<()> {
    for file in make(options.host_libc)? {
        let size = fs::metadata(&file)?.len() as f64 / 1e6;
        println!("{size:6.2} MB  {}", file.display());
    }
    Ok(())
}

/// Makes everything and returns the files.
pub(crate) fn make(host_libc: bool) -> Result<Vec<PathBuf>> {
    let date = Date::of_build()?;
    let built = build::build(host_libc)?;
    println!("for glibc {} and later", built.glibc);
    let crates = crates::linked()?;
    let out = out()?;
    tree::make_empty(&out)?;
    let place = tempfile::Builder::new().prefix("dist").tempdir_in(cargo::target()?)?;
    let lay_out = |name: &str, layout: &Layout| -> Result<PathBuf> {
        let prefix = place.path().join(name);
        install::lay_out(layout, &prefix)?;
        fs::write(prefix.join("share/doc/liballocs/LICENSES-OF-CRATES"), licences::of(&crates, host_libc)?)?;
        Ok(prefix)
    };
    let layout = Layout::new(built.dir.clone());
    let top = tarball::top();
    let tree = lay_out(&top, &layout)?;
    let tarball = out.join(format!("{top}.tar.gz"));
    tarball::write(&tree, &top, date, &tarball)?;
    let layout = Layout {
        libdir: "lib/x86_64-linux-gnu".into(),
        zshdir: "share/zsh/vendor-completions".into(),
        ..layout.at(Path::new("/usr"))
    };
    lay_out("deb/usr", &layout)?;
    let deb = out.join(format!("liballocs_{VERSION}_amd64.deb"));
    deb::write(&place.path().join("deb"), &built.depends(), date, &deb)?;
    let sbom = out.join(format!("liballocs-{VERSION}.spdx.json"));
    fs::write(&sbom, sbom::text(&crates, host_libc, date, &[&tarball, &deb])?)?;
    let mut files = vec![tarball, deb, sbom];
    let sums = out.join("SHA256SUMS");
    fs::write(&sums, sha256(&files)?)?;
    files.push(sums);
    Ok(files)
}

/// Where everything goes.
pub(crate) fn out() -> Result<PathBuf> {
    Ok(cargo::target()?.join("dist"))
}

/// Checksums as `sha256sum` prints them, by name, so that they can be checked anywhere.
fn sha256(files: &[PathBuf]) -> Result<String> {
    let mut names: Vec<&str> = Vec::new();
    for file in files {
        names.push(file.file_name().and_then(|name| name.to_str()).context("a product has a name")?);
    }
    names.sort_unstable();
    let dir = files.first().and_then(|file| file.parent()).unwrap_or(Path::new("."));
    cmd("sha256sum", names).dir(dir).read().map(|sums| sums + "\n").context("cannot run sha256sum")
}
