//! A directory whose files are all alike in what does not matter: owner's bits, times, order.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use duct::cmd;

use super::date::Date;

/// What is at a path.
pub(super) enum Kind {
    Directory,
    /// With its mode, which is 755 or 644.
    File(u32),
    /// A symbolic link, with what it says.
    Link(PathBuf),
}

impl Kind {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let data = fs::symlink_metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if data.is_symlink() {
            return Ok(Self::Link(fs::read_link(path)?));
        }
        let is_program = data.permissions().mode() & 0o100 != 0;
        Ok(if data.is_dir() { Self::Directory } else { Self::File(if is_program { 0o755 } else { 0o644 }) })
    }
}

/// Paths of everything below a directory, each directory before what is in it, in an order that no locale changes.
pub(super) fn paths(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            paths.extend(self::paths(&entry.path())?);
        }
        paths.push(entry.path());
    }
    paths.sort();
    Ok(paths)
}

/// Paths of the files below a directory.
pub(super) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = paths(dir)?;
    files.retain(|path| matches!(Kind::of(path), Ok(Kind::File(_))));
    Ok(files)
}

/// Gives everything in a directory, and itself, its mode and that date.
pub(super) fn normalise(dir: &Path, date: Date) -> Result<()> {
    let all = [&[dir.to_owned()][..], &paths(dir)?].concat();
    for path in &all {
        match Kind::of(path)? {
            Kind::Directory => fs::set_permissions(path, Permissions::from_mode(0o755))?,
            Kind::File(mode) => fs::set_permissions(path, Permissions::from_mode(mode))?,
            Kind::Link(_) => {}
        }
    }
    let date = format!("--date=@{}", date.0);
    let options = ["--no-dereference", &date].map(PathBuf::from);
    cmd("touch", options.into_iter().chain(all)).run().context("cannot date the files")?;
    Ok(())
}

/// Makes a directory, or empties one that is there.
pub(super) fn make_empty(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_tree_has_an_order_modes_and_one_date() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let (b, program) = (file("b/c", 0o600), file("a", 0o700));
        let link = place.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        normalise(place.path(), Date(1000)).unwrap();
        let dir = b.parent().unwrap().to_owned();
        assert_eq!(paths(place.path()).unwrap(), [program.clone(), dir, b.clone(), link.clone()]);
        assert_eq!(files(place.path()).unwrap(), [program.clone(), b.clone()]);
        assert!(matches!(Kind::of(&link), Ok(Kind::Link(to)) if to == Path::new("nowhere")));
        for (path, mode) in [(&program, 0o755), (&b, 0o644)] {
            let data = fs::metadata(path).unwrap();
            assert_eq!(data.permissions().mode() & 0o7777, mode);
            assert_eq!(data.modified().unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1000));
        }
    }
}
