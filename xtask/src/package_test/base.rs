//! Root file systems of plain Debian releases, made once by debootstrap and kept in the user's cache directory.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use super::{mounts, tools};

/// The root file system of a release (`bookworm`, `bullseye`), as a tar archive, about 200 MB. It trusts the
/// certificate authorities that this host trusts, so that clients in it reach what clients here reach.
pub(super) fn archive(release: &str) -> Result<PathBuf> {
    let cache = cache()?;
    let archive = cache.join(format!("debian-{release}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    tools::need(&[("debootstrap", "debootstrap"), ("tar", "tar"), ("unshare", "util-linux")])?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let place = tempfile::Builder::new().prefix("debootstrap").tempdir_in(&cache)?;
    let (root, made) = (place.path().join("root"), place.path().join("made.tar"));
    let done = make(release, &root, &made);
    // What debootstrap made belongs to root, which the removal of the temporary directory may not be.
    if let Err(error) = mounts::remove(&root) {
        // That removal would enter what is mounted.
        let kept = place.keep();
        return Err(error).with_context(|| format!("{} is kept", kept.display()));
    }
    done.with_context(|| format!("cannot make a root file system of Debian {release}"))?;
    fs::rename(&made, &archive)?;
    Ok(archive)
}

fn make(release: &str, root: &Path, archive: &Path) -> Result<()> {
    let (root, archive) = (text(root)?, text(archive)?);
    // What debootstrap mounts in the root is seen by it alone, and so goes with it. Where the kernel refuses it a name space
    // of its own, it refuses mounts, too.
    let is_private = tools::root_command(&["unshare", "--mount", "true"]).stderr_null().run().is_ok();
    let unshare: &[&str] = if is_private { &["unshare", "--mount"] } else { &[] };
    tools::as_root(&[unshare, &["debootstrap", "--variant=minbase", release, root]].concat())?;
    let authorities = "/usr/local/share/ca-certificates";
    if fs::read_dir(authorities).is_ok_and(|mut entries| entries.next().is_some()) {
        tools::as_root(&["mkdir", "-p", &format!("{root}/usr/local/share")])?;
        tools::as_root(&["cp", "-rT", "--remove-destination", authorities, &format!("{root}{authorities}")])?;
    }
    // A release gets its updates and security updates if this host is of the same release and names them.
    let sources = "/etc/apt/sources.list.d/debian.sources";
    if fs::read_to_string(sources).is_ok_and(|text| text.contains(release)) {
        tools::as_root(&["cp", "--remove-destination", sources, &format!("{root}{sources}")])?;
        tools::as_root(&["rm", "-f", &format!("{root}/etc/apt/sources.list")])?;
    }
    let (packages, lists) = (format!("{root}/var/cache/apt/archives"), format!("{root}/var/lib/apt/lists"));
    tools::as_root(&["find", &packages, "-name", "*.deb", "-delete"])?;
    tools::as_root(&["find", &lists, "-mindepth", "1", "-delete"])?;
    tools::as_root(&["tar", "-C", root, "--numeric-owner", "-cf", archive, "."])
}

/// Where things are kept that take long to make and do not depend on the checkout.
fn cache() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("liballocs-rs"))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
