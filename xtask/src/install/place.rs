//! Puts one file where it belongs, with the mode that it is to have whatever the umask, and takes it away again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file under a temporary name and renames it: a program that runs it now keeps the old one. A file that is
/// the same already stays, so that what was built with it stays valid.
pub(super) fn put(bytes: &[u8], mode: u32, to: &Path) -> Result<()> {
    let has_mode = |data: fs::Metadata| data.is_file() && data.permissions().mode() & 0o7777 == mode;
    if fs::symlink_metadata(to).is_ok_and(has_mode) && fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let dir = directory_of(to)?;
    let temporary = tempfile::NamedTempFile::new_in(dir)
        .with_context(|| format!("cannot write into {}", dir.display()))?;
    fs::write(temporary.path(), bytes)?;
    fs::set_permissions(temporary.path(), Permissions::from_mode(mode))?;
    temporary.persist(to).map(drop).with_context(|| format!("cannot write {}", to.display()))
}

/// Makes a symbolic link.
pub(super) fn link(target: &Path, to: &Path) -> Result<()> {
    if fs::read_link(to).is_ok_and(|old| old == target) {
        return Ok(());
    }
    directory_of(to)?;
    if fs::symlink_metadata(to).is_ok() {
        fs::remove_file(to).with_context(|| format!("cannot replace {}", to.display()))?;
    }
    symlink(target, to).with_context(|| format!("cannot make {}", to.display()))
}

/// The directory of a file, which is there afterwards.
fn directory_of(file: &Path) -> Result<&Path> {
    let dir = file.parent().context("a file is installed into a directory")?;
    directory(dir)?;
    Ok(dir)
}

/// Makes a directory and what is missing above it. One that is there stays as it is.
fn directory(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    dir.parent().map_or(Ok(()), |parent| if parent == Path::new("") { Ok(()) } else { directory(parent) })?;
    fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, Permissions::from_mode(0o755))?;
    Ok(())
}

/// Removes a file, and the directories between it and the prefix that are empty then.
pub(super) fn remove(prefix: &Path, file: &Path) -> Result<()> {
    let path = prefix.join(file);
    if fs::symlink_metadata(&path).is_ok() {
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    let above = file.ancestors().skip(1).filter(|dir| *dir != Path::new(""));
    // The first that holds something else ends it.
    above.map(|dir| fs::remove_dir(prefix.join(dir))).take_while(Result::is_ok).for_each(drop);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_are_as_asked_and_what_is_equal_stays() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a/b/file");
        put(b"text", 0o644, &file).unwrap();
        assert_eq!((mode(&file), mode(&place.path().join("a"))), (0o644, 0o755));
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        put(b"text", 0o644, &file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), time);
        put(b"text", 0o755, &file).unwrap();
        assert_eq!(mode(&file), 0o755);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (theirs, ours) = (place.path().join("theirs"), place.path().join("ours"));
        fs::write(&theirs, "text").unwrap();
        link(&theirs, &ours).unwrap();
        link(&theirs, &ours).unwrap();
        assert!(ours.is_symlink());
        put(b"text", 0o644, &ours).unwrap();
        assert!(!ours.is_symlink());
        assert_eq!(fs::read(&theirs).unwrap(), b"text");
    }
}
