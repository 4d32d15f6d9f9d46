//! The source files of a program: the paths of the manifest, found in the unpacked packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::manifest::{Manifest, Program};
use crate::{fetch, places};

/// The source files of a program: the name in the manifest's terms, and the path.
pub struct Sources {
    /// The files to compile, in the order of the manifest.
    pub files: Vec<(String, PathBuf)>,
    /// Directories for `-I`.
    pub include: Vec<PathBuf>,
    /// Where the first component of a name leads.
    roots: Vec<(String, PathBuf)>,
}

impl Sources {
    /// Fetches the program's packages where needed, and expands its patterns.
    pub fn find(manifest: &Manifest, program: &Program) -> Result<Self> {
        let mut roots = vec![("corpus".to_owned(), places::corpus())];
        for package in manifest.packages_of(program) {
            roots.push((package.name.clone(), fetch::sources(manifest, package)?));
        }
        let mut found = Self { files: Vec::new(), include: Vec::new(), roots };
        let path_of = |name: &str| {
            found.path_of(name).with_context(|| format!("{name} is in no package of {}", program.name))
        };
        let mut files = Vec::new();
        for pattern in &program.build.sources {
            for name in expand(pattern, path_of(pattern)?.parent())? {
                if !program.build.exclude.contains(&name) {
                    files.push((name.clone(), path_of(&name)?));
                }
            }
        }
        found.include = program.build.include.iter().map(|dir| path_of(dir)).collect::<Result<_>>()?;
        found.files = files;
        Ok(found)
    }

    /// The path of a file by its name in the manifest's terms, whether it exists or not.
    pub fn path_of(&self, name: &str) -> Option<PathBuf> {
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        let (_, path) = self.roots.iter().find(|(root, _)| root == first)?;
        Some(path.join(rest))
    }

    /// The name in the manifest's terms of a file in one of the program's packages.
    pub fn name_of(&self, path: &Path) -> Option<String> {
        let inside = |(name, root): &(String, PathBuf)| {
            Some(format!("{name}/{}", path.strip_prefix(root).ok()?.to_str()?))
        };
        self.roots.iter().find_map(inside)
    }
}

/// The files that a pattern with at most one `*` in its last component matches, sorted.
fn expand(pattern: &str, dir: Option<&Path>) -> Result<Vec<String>> {
    let Some((before, after)) = pattern.split_once('*') else { return Ok(vec![pattern.to_owned()]) };
    let (prefix, start) = before.rsplit_once('/').context("a pattern has a directory")?;
    let mut names = BTreeSet::new();
    let dir = dir.context("a pattern has a directory")?;
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.len() >= start.len() + after.len() && name.starts_with(start) && name.ends_with(after) {
            names.insert(format!("{prefix}/{name}"));
        }
    }
    ensure!(!names.is_empty(), "{pattern} matches no file");
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_expand_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.c", "a.c", "a.h", "x_sse.c"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let check = |pattern: &str, expect: &[&str]| {
            assert_eq!(expand(pattern, Some(dir.path())).unwrap(), expect);
        };
        check("p/*.c", &["p/a.c", "p/b.c", "p/x_sse.c"]);
        check("p/x_*.c", &["p/x_sse.c"]);
        check("p/one.c", &["p/one.c"]);
        assert_eq!(expand("p/*.cc", Some(dir.path())).unwrap_err().to_string(), "p/*.cc matches no file");
    }
}
