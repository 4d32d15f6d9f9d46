//! What a compiler reads of a program's sources, by its preprocessor.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::calls;
use super::typedefs::Typedefs;
use crate::manifest::{Manifest, Program, Tree};
use crate::sources::Sources;
use crate::{child, lines, places, tools, tree};

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
        match &program.build.tree {
            Some(tree) => Self::of_tree(manifest, program, tree),
            None => Self::of_list(manifest, program),
        }
    }

    /// Of a program that is built from a list of sources.
    fn of_list(manifest: &Manifest, program: &Program) -> Result<Self> {
        let sources = Sources::find(manifest, program)?;
        let cc = tools::find("cc")?;
        let mut read = Self::default();
        for (_, path) in &sources.files {
            let mut command = Command::new(&cc);
            command.current_dir(places::root()).args(&program.build.cflags).arg("-E").arg(path);
            for dir in &sources.include {
                command.arg("-I").arg(dir);
            }
            read.unit(&child::printed_lossy(&mut command)?, &sources, |path| sources.name_of(&path))?;
        }
        Ok(read)
    }

    /// Of a program that its package's own scripts build: only a build says what they compile, and which part of that is in
    /// the program.
    fn of_tree(manifest: &Manifest, program: &Program, tree: &Tree) -> Result<Self> {
        let sources = Sources::find(manifest, program)?;
        let built = tree::preprocessed(manifest, program, tree)?;
        let parts = lines::files(&built.join(&program.name))?;
        let mut read = Self::default();
        for (_, path) in tree::objects(&built)? {
            let preprocessed = text(&path)?;
            let (main, dir) = calls::main_file(&preprocessed)
                .with_context(|| format!("{} does not say where it was made", path.display()))?;
            if !parts.contains(&lines::normal(&dir.join(main))) {
                continue;
            }
            read.unit(&preprocessed, &sources, |path| {
                let name = tree::name_of(program, &dir.join(path))?;
                // What scripts have made is in no package.
                sources.path_of(&name).filter(|path| path.is_file()).map(|_| name)
            })?;
        }
        Ok(read)
    }

    /// Adds one preprocessed source.
    fn unit(
        &mut self,
        preprocessed: &str,
        sources: &Sources,
        name_of: impl Fn(PathBuf) -> Option<String>,
    ) -> Result<()> {
        self.typedefs.add(preprocessed);
        for (path, compiled) in calls::lines_compiled(preprocessed) {
            // Our own files are not what is judged.
            let of_package = |name: &String| !name.starts_with("corpus/");
            let Some(name) = name_of(lines::normal(Path::new(path))).filter(of_package) else { continue };
            self.file(name, sources)?.compiled.extend(compiled);
        }
        Ok(())
    }

    fn file(&mut self, name: String, sources: &Sources) -> Result<&mut Source> {
        Ok(match self.files.entry(name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let path = sources.path_of(entry.key()).context("a name has a place")?;
                let text = text(&path)?;
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
