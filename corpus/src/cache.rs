//! A directory whose content is a function of its key: made under a temporary name, then renamed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The hash of everything that decides what an artefact is.
#[derive(Clone)]
pub struct Key(Sha256);

impl Key {
    /// Starts a key for one kind of artefact. The format number changes when the maker of the artefact does.
    pub fn new(kind: &str, format: u32) -> Self {
        Self(Sha256::new()).with(kind).with(format.to_string())
    }

    /// Adds one part, with its length, so that no two lists of parts run together.
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// The first 16 digits, enough for a directory name.
    pub fn digits(self) -> String {
        hex(&self.0.finalize())[..16].to_owned()
    }
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of a file.
pub fn sha256_of(path: &Path) -> Result<String> {
    Ok(sha256(&fs::read(path).with_context(|| format!("cannot read {}", path.display()))?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns `path`, first filling it by `make` where it does not exist. A run that is killed leaves only a directory
/// named `.tmp*`, which is swept later; where two runs race, the second one's work is dropped.
pub fn directory(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if !path.is_dir() {
        let parent = path.parent().context("a cache entry has a parent directory")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        sweep(path);
        let temporary = tempfile::Builder::new().prefix(".tmp").tempdir_in(parent)?;
        make(temporary.path())?;
        match fs::rename(temporary.path(), path) {
            Ok(()) => drop(temporary.keep()),
            Err(_) if path.is_dir() => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot put {} in place", path.display()));
            }
        }
    }
    Ok(path.to_owned())
}

/// Removes what killed runs left behind an hour ago, and what stands under other keys for a week: `NAME-KEY` beside a
/// new one of that NAME.
fn sweep(path: &Path) {
    const HOUR: u64 = 3600;
    let (Some(parent), Some(entry)) = (path.parent(), path.file_name()) else { return };
    let entry = entry.to_string_lossy();
    let name = entry.rsplit_once('-').map_or(&*entry, |(name, _)| name);
    for other in fs::read_dir(parent).into_iter().flatten().flatten() {
        let modified = other.metadata().and_then(|data| data.modified()).ok();
        let age = modified.and_then(|time| time.elapsed().ok()).map_or(0, |age| age.as_secs());
        let file_name = other.file_name();
        let file_name = file_name.to_string_lossy();
        let same_name = file_name.rsplit_once('-').is_some_and(|(other, _)| other == name);
        if file_name.starts_with(".tmp") && age > HOUR || same_name && age > 7 * 24 * HOUR {
            // Another run may remove it at the same time; what stays is swept next time.
            let _ = fs::remove_dir_all(other.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_failed_make_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let entry = place.path().join("entry");
        let failed = directory(&entry, |dir| {
            fs::write(dir.join("half"), "half")?;
            anyhow::bail!("killed")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_made_directory_is_not_made_again() {
        let place = tempfile::tempdir().unwrap();
        let entry = place.path().join("entry");
        for _ in 0..2 {
            directory(&entry, |dir| Ok(fs::create_dir(dir.join("once"))?)).unwrap();
        }
        assert!(directory(&entry, |_| anyhow::bail!("made twice")).unwrap().join("once").is_dir());
    }

    #[test]
    fn old_entries_are_swept() {
        let place = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 3600);
        for (name, age) in
            [(".tmpx", long_ago), ("a-cc-1", long_ago), ("b-cc-1", long_ago), ("a-cc-2", SystemTime::now())]
        {
            let dir = place.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::File::open(&dir).unwrap().set_modified(age).unwrap();
        }
        directory(&place.path().join("a-cc-3"), |_| Ok(())).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a-cc-2", "a-cc-3", "b-cc-1"]);
    }

    #[test]
    fn parts_do_not_run_together() {
        let joined = Key::new("k", 1).with("ab").with("c").digits();
        assert_ne!(joined, Key::new("k", 1).with("a").with("bc").digits());
    }
}
