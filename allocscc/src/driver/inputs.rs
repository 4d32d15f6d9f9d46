//! What a link command names: files, libraries and where to look for them; and the facts in them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use object::read::archive::ArchiveFile;

use super::records::FACTS_SECTION;
use crate::image::bitcode;
use crate::image::debug_info::debug_info_size;
use crate::image::elf::{Elf, FileKind};

/// The inputs of a link, in the order of the command line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkInputs {
    /// Objects, archives, shared libraries and linker scripts, `-l` libraries found in `directories` among them.
    pub files: Vec<LinkFile>,
    /// `-L` directories.
    pub directories: Vec<PathBuf>,
}

/// One input of a link.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum LinkFile {
    /// A file named on the command line.
    Path(PathBuf),
    /// `-l`: a library by its short name, or by its file name after a colon.
    Library(String),
}

impl LinkInputs {
    /// The files that exist, each once. A library that lies in none of `directories` is the system's and is left out; so is a shared
    /// one, which the linker prefers to the archive beside it unless `is_static`.
    pub fn existing(&self, is_static: bool) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        self.files
            .iter()
            .filter(|file| seen.insert(*file))
            .filter_map(|file| match file {
                LinkFile::Path(path) => Some(path.clone()),
                LinkFile::Library(name) => self.archive(name, is_static),
            })
            .filter(|path| path.is_file())
            .collect()
    }

    /// The files that may be shared libraries, those of `-l` that lie in `directories` included, in the order of the command line.
    pub fn shared_libraries(&self) -> Vec<PathBuf> {
        let library = |name: &str| {
            let file = name.strip_prefix(':').map_or_else(|| format!("lib{name}.so"), |file| file.to_owned());
            self.directories.iter().map(|directory| directory.join(&file)).find(|path| path.is_file())
        };
        let path = |file: &LinkFile| match file {
            LinkFile::Path(path) => Some(path.clone()),
            LinkFile::Library(name) => library(name),
        };
        self.files.iter().filter_map(path).collect()
    }

    fn archive(&self, name: &str, is_static: bool) -> Option<PathBuf> {
        for directory in &self.directories {
            if let Some(file) = name.strip_prefix(':') {
                let path = directory.join(file);
                if path.is_file() {
                    return Some(path);
                }
                continue;
            }
            if !is_static && directory.join(format!("lib{name}.so")).is_file() {
                return None;
            }
            let path: PathBuf = Path::new(directory).join(format!("lib{name}.a"));
            if path.is_file() {
                return Some(path);
            }
        }
        None
    }
}

/// What the inputs of a link say, where the linker has not carried it into its output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FactsOfInputs {
    /// Sections of records.
    pub sections: Vec<Vec<u8>>,
    /// An input has debug info but no record: another compiler made it.
    pub has_foreign_debug_info: bool,
}

/// Reads the records of all objects and archive members among the inputs. What cannot be read has none.
pub fn facts_of_inputs(inputs: &LinkInputs, is_static: bool) -> FactsOfInputs {
    let mut facts = FactsOfInputs::default();
    for path in inputs.existing(is_static) {
        for_each_object(&path, |object| facts.add(object));
    }
    facts
}

/// Bytes of `.debug_info` in all objects among the inputs, archives aside.
pub fn debug_info_of_objects(inputs: &LinkInputs) -> u64 {
    let mut size: u64 = 0;
    for path in inputs.existing(true) {
        let Ok(file) = std::fs::read(path) else { continue };
        if let Ok(Some(elf)) = Elf::parse(&file) {
            size = size.saturating_add(debug_info_size(&elf).unwrap_or(0));
        }
    }
    size
}

impl FactsOfInputs {
    fn add(&mut self, object: &[u8]) {
        if let Ok(blocks) = bitcode::contents(object) {
            self.sections.extend(blocks.into_iter().map(<[u8]>::to_vec));
            return;
        }
        let Ok(Some(elf)) = Elf::parse(object) else { return };
        if elf.kind != FileKind::Object {
            return;
        }
        let before = self.sections.len();
        for section in elf.named(FACTS_SECTION) {
            self.sections.extend(section.bytes(elf.file).ok().map(<[u8]>::to_vec));
        }
        let has_debug_info = elf.sections.iter().any(|section| section.name.ends_with(b".debug_info"));
        self.has_foreign_debug_info |= has_debug_info && self.sections.len() == before;
    }
}

/// Calls `visit` with a file's bytes, or with those of each member of an archive. The members of a thin archive lie beside it.
pub fn for_each_object(path: &Path, mut visit: impl FnMut(&[u8])) {
    let Ok(file) = std::fs::read(path) else { return };
    let Ok(archive) = ArchiveFile::parse(&*file) else { return visit(&file) };
    for member in archive.members().map_while(Result::ok) {
        if member.is_thin() {
            let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(member.name());
            let member = path.parent().unwrap_or(Path::new("")).join(name);
            if let Ok(bytes) = std::fs::read(member) {
                visit(&bytes);
            }
        } else if let Ok(bytes) = member.data(&*file) {
            visit(bytes);
        }
    }
}
