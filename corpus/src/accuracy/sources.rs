//! What a compiler reads of a program's sources, by its preprocessor.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::calls;
use super::typedefs::Typedefs;
use crate::manifest::{Manifest, Program};
use crate::sources::Sources;
use crate::{child, places, tools};

/// What the sources of a program say.
#[derive(Default)]
pub struct Text {
    /// The files that it is compiled from, its headers too, by their names in the manifest's terms.
    pub files: BTreeMap<String, Source>,
    /// The macros that they define.
    pub macros: BTreeSet<String>,
    /// The types that they name, and that the system's headers do.
    pub typedefs: Typedefs,
}

/// What a compiler reads of one file.
#[derive(Default)]
pub struct Source {
    /// All of it.
    pub text: String,
    /// The lines that conditions do not leave out.
    pub compiled: BTreeSet<usize>,
}

impl Text {
    /// Preprocesses all sources of a program.
    pub fn read(manifest: &Manifest, program: &Program) -> Result<Self> {
        let sources = Sources::find(manifest, program)?;
        let cc = tools::find("cc")?;
        let mut read = Self::default();
        for (_, path) in &sources.files {
            let mut command = Command::new(&cc);
            command.current_dir(places::root()).args(&program.build.cflags).arg("-E").arg(path);
            for dir in &sources.include {
                command.arg("-I").arg(dir);
            }
            let preprocessed = child::printed_lossy(&mut command)?;
            read.typedefs.add(&preprocessed);
            for (path, compiled) in calls::lines_compiled(&preprocessed) {
                // Our own files are not what is judged.
                let of_package = |name: &String| !name.starts_with("corpus/");
                let name = sources.name_of(Path::new(&normal(path))).filter(of_package);
                let Some(name) = name else { continue };
                read.file(name, Path::new(path))?.compiled.extend(compiled);
            }
        }
        Ok(read)
    }

    fn file(&mut self, name: String, path: &Path) -> Result<&mut Source> {
        Ok(match self.files.entry(name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let text = text(path)?;
                self.macros.extend(calls::macros(&text).map(str::to_owned));
                entry.insert(Source { text, compiled: BTreeSet::new() })
            }
        })
    }
}

/// The text of a source file. Few have bytes that are not UTF-8, in comments, and each stays one character.
pub fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal() {
        assert_eq!(normal("p/lib/../common/./a.h"), "p/common/a.h");
    }
}
