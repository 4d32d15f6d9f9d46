//! What an installation holds: each file's place below the prefix, its mode and its bytes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo;

/// The list of what was installed, below the prefix.
pub(super) const MANIFEST: &str = "share/liballocs/installed-files";

/// Where things come from and where they go below the prefix.
pub(crate) struct Layout {
    /// The directory with the built `allocscc`, `allocs` and `liballocs_preload.so`.
    pub(crate) built: PathBuf,
    /// The directory of libraries: `lib`, on Debian `lib/x86_64-linux-gnu`.
    pub(crate) libdir: PathBuf,
    /// The directory of zsh's completions, which Debian's packages have in `share/zsh/vendor-completions`.
    pub(crate) zshdir: PathBuf,
}

/// One file of an installation.
pub(super) struct File {
    /// Below the prefix.
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

const PLAIN: u32 = 0o644;
const PROGRAM: u32 = 0o755;

impl Layout {
    /// The usual places.
    pub(crate) fn new(built: PathBuf) -> Self {
        Self { built, libdir: "lib".into(), zshdir: "share/zsh/site-functions".into() }
    }

    /// All files of an installation.
    pub(super) fn files(&self) -> Result<Vec<File>> {
        let root = cargo::root()?;
        let documents = Path::new("share/doc/liballocs");
        let mut files = vec![
            read(&self.built.join("allocscc"), "bin/allocscc", PROGRAM)?,
            read(&self.built.join("allocs"), "bin/allocs", PROGRAM)?,
            read(&self.built.join("liballocs_preload.so"), self.libdir.join("liballocs_preload.so"), PLAIN)?,
        ];
        files.extend(read_all(&root.join("runtime/include"), Path::new("include"))?);
        files.extend(read_all(&root.join("corpus/programs/examples"), &documents.join("examples"))?);
        for name in listed(&root)? {
            if ["README", "ARCHITECTURE", "CHANGELOG", "LICENSE"].iter().any(|start| name.starts_with(start))
            {
                files.push(read(&root.join(&name), documents.join(&name), PLAIN)?);
            }
        }
        Ok(files)
    }
}

/// The list of the files.
pub(super) fn manifest(files: &[File]) -> File {
    let lines = files.iter().map(|file| format!("{}\n", file.path.display()));
    File { path: MANIFEST.into(), mode: PLAIN, bytes: lines.collect::<String>().into_bytes() }
}

fn read(from: &Path, to: impl Into<PathBuf>, mode: u32) -> Result<File> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    Ok(File { path: to.into(), mode, bytes })
}

/// The files of a directory.
fn read_all(from: &Path, to: &Path) -> Result<Vec<File>> {
    listed(from)?.iter().map(|name| read(&from.join(name), to.join(name), PLAIN)).collect()
}

/// The names in a directory, sorted.
fn listed(dir: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut names = names
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
