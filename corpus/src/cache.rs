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
/// named `.tmp*`, which [`sweep`] removes; where two runs race, the second one's work is dropped.
pub fn directory(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if !path.is_dir() {
        let parent = path.parent().context("a cache entry has a parent directory")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        sweep(parent);
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

/// Removes what killed runs left behind: temporary directories that are more than an hour old.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let old = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if entry.file_name().to_string_lossy().starts_with(".tmp")
            && old.is_some_and(|age| age.as_secs() > 3600)
        {
            // Another run may remove it at the same time; what stays is swept next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn parts_do_not_run_together() {
        let joined = Key::new("k", 1).with("ab").with("c").digits();
        assert_ne!(joined, Key::new("k", 1).with("a").with("bc").digits());
    }
}
