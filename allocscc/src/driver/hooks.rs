//! What the driver calls to analyse a source file and a linked file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::inputs::LinkInputs;
use crate::image::rewrite::ReplacedSection;

/// One source file as the compiler sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitInfo {
    /// The file's name as given to the compiler; `-` is the standard input.
    pub source: PathBuf,
    /// The directory that the compiler runs in.
    pub directory: PathBuf,
    /// The options that change what C means: `-std=`, `-ansi`, `-f…`, `-m…` and `-O…`, in the order given.
    pub flags: Vec<OsString>,
}

/// Extracts the allocation facts of a unit from its preprocessed text.
pub type Analyse = fn(preprocessed: &[u8], unit: &UnitInfo) -> Result<Vec<u8>>;

/// A file that the compiler has just linked.
pub struct LinkOutput<'a> {
    /// Where the file is.
    pub path: &'a Path,
    /// The file's bytes: an x86-64 `ET_EXEC` or `ET_DYN` file, with whatever debug info its inputs had.
    pub bytes: &'a [u8],
    /// What [`Analyse`] returned for the units that are in the file, as far as it is known.
    pub facts: Vec<&'a [u8]>,
    /// The link editor's map, if it wrote one for us.
    pub map: Option<&'a str>,
    /// Whether the debug info stays in the file.
    pub keeps_debug_info: bool,
    /// Whether the debug information is to say what calls allocate.
    pub wants_alloc_types: bool,
    /// What was linked, as the command line says.
    pub inputs: &'a LinkInputs,
}

/// What is made of a linked file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Annotation {
    /// The contents of the metadata section.
    pub metadata: Vec<u8>,
    /// Symbols of types that the file names, of which nothing that was linked says what they are.
    pub undescribed_types: Vec<String>,
    /// Whether it says that functions are to be hooked.
    pub has_hooks: bool,
    /// Sections of debug information that get other contents.
    pub debug_sections: Vec<ReplacedSection>,
}

/// Makes the metadata of a linked file. `None` says that there is nothing to put into it.
pub type Annotate = fn(&LinkOutput) -> Result<Option<Annotation>>;

/// The two analyses. Each runs in a process of its own, so that a crash costs an answer and not a build.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Analyses a source file.
    pub analyse: Analyse,
    /// Analyses a linked file.
    pub annotate: Annotate,
}
