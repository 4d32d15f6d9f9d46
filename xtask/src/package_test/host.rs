//! The tarball and the .deb, installed on plain Debian releases as the README says.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use duct::cmd;

use super::chroot::Chroot;
use super::report::Report;
use super::{Context, readme, tools};
use crate::{cargo, dist, repro};

/// The release that has the oldest glibc that can still be had, and the one that is checked always.
const OLD: &str = "bullseye";
const USUAL: &str = "bookworm";

pub(super) fn check(context: &Context, report: &mut Report) -> Result<()> {
    tools::need(&[
        ("python3", "python3"),
        ("dpkg-deb", "dpkg"),
        ("lintian", "lintian"),
        ("xz", "xz-utils"),
        ("cc", "gcc"),
        ("locale-gen", "locales"),
    ])?;
    tools::need_module("pip", "python3-pip")?;
    if report.check("dist", dist_once).is_none() {
        return Ok(());
    }
    let products = Products::find()?;
    report.check("dist: SHA256SUMS", || {
        cmd!("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS").dir(dist::out()?).run()?;
        Ok("all fit")
    });
    report.must_fail("dist: a program of this host is no product", "needs", || {
        dist::needed_by(&std::env::current_exe()?)
    });
    report.check("deb: lintian", || lintian(&products.deb));
    report.check("tarball: in a directory with a space, here", || tarball_here(context, &products));
    if Chroot::is_possible() {
        in_containers(context, report, &products);
    } else {
        report.cannot("the .deb on a clean Debian: root may not make mounts here, or we may not be root");
    }
    if !context.smoke {
        report.must_fail("repro: a planted difference", "share/doc/liballocs/README.md", || planted(context));
        report.check("repro: bit by bit the same in other surroundings", repro::check);
    }
    Ok(())
}

fn in_containers(context: &Context, report: &mut Report, products: &Products) {
    if let Some(chroot) = container(context, report, USUAL) {
        report.check("deb: installed with apt, used", || install_deb(&chroot, products));
        report.check("deb: upgraded, purged, nothing is left", || {
            upgrade_and_purge(context, &chroot, products)
        });
        report.must_fail("deb: one that needs another glibc", "libc6 (>= 99)", || {
            let wrong = changed_deb(context, products, "s/^Depends:.*/Depends: libc6 (>= 99)/")?;
            chroot.put(&wrong, "root/wrong")?;
            chroot.run("apt-get install --yes /root/wrong/*.deb")
        });
    }
    if context.smoke {
        return;
    }
    if let Some(chroot) = container(context, report, OLD) {
        report.check("deb: installed with apt, used, glibc 2.31", || install_deb(&chroot, products));
        report.check("tarball: in a directory with a space, glibc 2.31", || tarball_there(&chroot, products));
    }
}

/// What `cargo xtask dist` has made.
struct Products {
    tarball: PathBuf,
    deb: PathBuf,
}

impl Products {
    fn find() -> Result<Self> {
        let out = dist::out()?;
        let ending = |end: &str| -> Result<PathBuf> {
            let paths = fs::read_dir(&out)?.flatten().map(|entry| entry.path());
            let mut paths = paths.filter(|path| path.to_string_lossy().ends_with(end));
            paths.next().with_context(|| format!("there is no *{end} in {}", out.display()))
        };
        Ok(Self { tarball: ending(".tar.gz")?, deb: ending(".deb")? })
    }
}

fn dist_once() -> Result<String> {
    let mut sizes = Vec::new();
    for file in dist::make(false)? {
        let size = fs::metadata(&file)?.len() / 1000;
        // The checksums' file has no extension, and nobody asks for its size.
        sizes.extend(file.extension().map(|kind| format!("{} {size} kB", kind.display())));
    }
    Ok(sizes.join(", "))
}

fn lintian(deb: &Path) -> Result<&'static str> {
    let output = cmd!("lintian", "--fail-on", "error,warning,info", deb)
        .stderr_null()
        .stdout_capture()
        .unchecked()
        .run()?;
    ensure!(output.status.success(), "lintian:\n{}", String::from_utf8_lossy(&output.stdout));
    Ok("clean")
}

fn container(context: &Context, report: &mut Report, release: &str) -> Option<Chroot> {
    let mut made = None;
    report.check(&format!("a clean {release}"), || {
        let chroot = made.insert(Chroot::new(context, release)?);
        Ok(chroot.run("ldd --version | head -1")?.trim().to_owned())
    })?;
    made
}

/// Runs the README's block in a directory of this host, on which nothing of ours is on the search path.
fn tarball_here(context: &Context, products: &Products) -> Result<&'static str> {
    let place = tempfile::Builder::new().prefix("with a space ").tempdir_in(&context.work)?;
    fs::copy(&products.tarball, place.path().join(products.tarball.file_name().unwrap_or_default()))?;
    fs::copy(example()?, place.path().join("hello.c"))?;
    let script = readme::block("From the tarball")?;
    let printed =
        cmd!("env", "-i", "PATH=/usr/bin:/bin", "sh", "-e", "-c", script).dir(place.path()).read()?;
    answers(&printed)
}

fn tarball_there(chroot: &Chroot, products: &Products) -> Result<&'static str> {
    let dir = "root/with a space";
    chroot.put(&products.tarball, dir)?;
    chroot.put(&example()?, dir)?;
    let script = readme::block("From the tarball")?;
    // The package would answer in the tarball's place.
    chroot.run("apt-get purge --yes liballocs")?;
    answers(&chroot.run(&format!("cd '/{dir}'; mv readme.c hello.c\n{script}"))?)
}

/// Runs the README's block; then the library by its bare name.
fn install_deb(chroot: &Chroot, products: &Products) -> Result<&'static str> {
    chroot.put(&products.deb, "root/deb")?;
    chroot.put(&example()?, "root/deb")?;
    let script = readme::block("From the .deb")?;
    answers(&chroot.run(&format!("cd /root/deb; mv readme.c hello.c\n{script}"))?)?;
    answers(&chroot.run("cd /root/deb; LD_PRELOAD=liballocs_preload.so ./hello")?)
}

/// Takes the package away, puts it in again, and a later one over it, and that away, too.
fn upgrade_and_purge(context: &Context, chroot: &Chroot, products: &Products) -> Result<String> {
    let ours = cmd!("dpkg-deb", "--fsys-tarfile", &products.deb).pipe(cmd!("tar", "-t")).read()?;
    let ours: Vec<String> = ours
        .lines()
        .filter(|path| !path.ends_with('/'))
        .map(|path| path.trim_start_matches('.').into())
        .collect();
    ensure!(ours.iter().any(|path| path == "/usr/bin/allocscc"), "the package has no /usr/bin/allocscc");
    let purged = || -> Result<_> {
        chroot.run("apt-get purge --yes liballocs")?;
        let left = chroot.files()?;
        match ours.iter().find(|path| left.contains(*path)) {
            Some(path) => bail!("{path} is left"),
            None => Ok(left),
        }
    };
    let before = purged()?;
    let later = changed_deb(context, products, "s/^Version:.*/&+later/")?;
    chroot.put(&later, "root/later")?;
    let before_with_later = chroot.files()?;
    chroot.run("apt-get install --yes /root/deb/*.deb; apt-get install --yes /root/later/*.deb")?;
    let version = chroot.run("dpkg-query --show --showformat '${Version}' liballocs")?;
    ensure!(version.ends_with("+later"), "it is still version {version}");
    let files = chroot.files()?;
    ensure!(!files.contains(DROPPED), "what the later package does not have is left: {DROPPED}");
    answers(&chroot.run("cd /root/deb; allocs run ./hello")?)?;
    let after = purged()?;
    let left: Vec<&String> = after.symmetric_difference(&before_with_later).collect();
    ensure!(left.is_empty(), "not as before: {left:?}");
    Ok(format!("{} files came and went, {} others stayed", ours.len(), before.len()))
}

/// A file that the changed package does not have.
const DROPPED: &str = "/usr/share/doc/liballocs/ARCHITECTURE.md";

/// The package with other control data, one file less, and another name.
fn changed_deb(context: &Context, products: &Products, edit: &str) -> Result<PathBuf> {
    let place = tempfile::Builder::new().prefix("deb").tempdir_in(&context.work)?;
    let root = place.path().join("root");
    cmd!("dpkg-deb", "--raw-extract", &products.deb, &root).run()?;
    cmd!("sed", "--in-place", edit, root.join("DEBIAN/control")).run()?;
    fs::remove_file(root.join(DROPPED.trim_start_matches('/')))?;
    let out = context.work.join("liballocs_changed_amd64.deb");
    cmd!("dpkg-deb", "--root-owner-group", "-Znone", "--build", &root, &out).stdout_null().run()?;
    Ok(out)
}

/// Changes one word of one file in the tarball, and compares.
fn planted(context: &Context) -> Result<()> {
    let place = tempfile::Builder::new().prefix("planted").tempdir_in(&context.work)?;
    let tarball = Products::find()?.tarball;
    let (whole, other) = (place.path().join("whole"), place.path().join("other"));
    for dir in [&whole, &other] {
        fs::create_dir(dir)?;
        fs::copy(&tarball, dir.join("x.tar.gz"))?;
    }
    let script = "tar -xf x.tar.gz; sed -i '1s/.*/other/' liballocs-*/share/doc/liballocs/README.md; \
                  tar -czf x.tar.gz liballocs-*; rm -r liballocs-*";
    cmd!("sh", "-e", "-c", script).dir(&other).run()?;
    let found = repro::directories(&whole, &other)?;
    let content = found.iter().find(|line| line.contains("README.md: line 1: "));
    content.map_or(Ok(()), |line| bail!("{line}"))
}

/// The README's example, as a file.
fn example() -> Result<PathBuf> {
    Ok(cargo::root()?.join("corpus/programs/examples/readme.c"))
}

/// Whether the README's example has printed its four lines, with the types that they must show.
fn answers(printed: &str) -> Result<&'static str> {
    for expected in [
        "a static-allocated object",
        "a generic malloc-allocated object of size 168, type __ARR0_int$32",
        "a stackframe-allocated object",
        "a auxv-allocated object",
    ] {
        ensure!(printed.contains(expected), "`{expected}` is not in:\n{printed}");
    }
    Ok("the example answers")
}
