//! What is mounted in a directory, and the removal of what root made, which enters no mount.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::tools;

/// What is mounted at or below one of the directories.
pub(super) fn below(dirs: &[&Path]) -> Result<Vec<String>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot list the mounts")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(unescaped);
    let found = points.filter(|point| dirs.iter().any(|dir| point.starts_with(dir)));
    Ok(found.map(|point| format!("mount {}", point.display())).collect())
}

/// Removes a directory as root, if nothing is mounted in it.
pub(super) fn remove(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    // The kernel names mounts by their true paths.
    let dir = dir.canonicalize()?;
    let left = below(&[&dir])?;
    ensure!(left.is_empty(), "{} is not removed, because of {}", dir.display(), left.join(", "));
    let dir = dir.to_str().with_context(|| format!("{} is not UTF-8", dir.display()))?;
    // What is mounted after that look, or in a name space of mounts that ended just now, is not entered.
    tools::as_root(&["rm", "-rf", "--one-file-system", "--", dir])
}

/// The kernel writes a space, a tab, a line feed and a backslash of a path as three octal digits behind a backslash.
fn unescaped(point: &str) -> PathBuf {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(point.to_owned(), |point, (code, text)| point.replace(code, text)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_by_their_paths() {
        assert!(below(&[Path::new("/proc")]).unwrap().contains(&"mount /proc".to_owned()));
        let place = tempfile::tempdir().unwrap();
        assert!(below(&[place.path()]).unwrap().is_empty());
        assert_eq!(unescaped(r"/a\040b\134c"), Path::new(r"/a b\c"));
    }

    #[test]
    fn what_has_mounts_is_not_removed() {
        let error = remove(Path::new("/proc")).unwrap_err();
        assert!(error.to_string().starts_with("/proc is not removed, because of mount /proc"), "{error}");
    }
}
