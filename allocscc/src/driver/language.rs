//! What language an input file is in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The language of an input, as far as the driver cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// C that is to be preprocessed.
    C,
    /// C that is preprocessed already (`.i`).
    PreprocessedC,
    /// A C header on its own: the compiler makes a precompiled header of it.
    CHeader,
    /// Any other language that the compiler compiles or assembles.
    Other,
    /// Not for the compiler but for the linker: an object, an archive, a shared library, a linker script.
    LinkerInput,
}

impl Language {
    /// What `-x name` says. `None` is `-x none`: the file's suffix decides again.
    pub fn of_option(name: &OsStr) -> Option<Language> {
        match name.as_bytes() {
            b"none" => None,
            b"c" => Some(Language::C),
            b"cpp-output" => Some(Language::PreprocessedC),
            b"c-header" => Some(Language::CHeader),
            _ => Some(Language::Other),
        }
    }

    /// What the file's suffix says.
    pub fn of_file(path: &Path) -> Language {
        let Some(suffix) = path.extension() else { return Language::LinkerInput };
        match suffix.as_bytes() {
            b"c" => Language::C,
            b"i" => Language::PreprocessedC,
            b"h" => Language::CHeader,
            suffix if OTHER_SUFFIXES.contains(&suffix) => Language::Other,
            _ => Language::LinkerInput,
        }
    }

    /// Whether the driver gathers facts from such a file.
    pub fn is_c(self) -> bool {
        matches!(self, Language::C | Language::PreprocessedC)
    }
}

/// Suffixes of the other languages that gcc or clang take.
const OTHER_SUFFIXES: [&[u8]; 57] = [
    b"C", b"CPP", b"F", b"F03", b"F08", b"F90", b"F95", b"FOR", b"FPP", b"FTN", b"H", b"M", b"S", b"ads",
    b"adb", b"bc", b"brig", b"c++", b"cc", b"cl", b"cp", b"cpp", b"cppm", b"cu", b"cxx", b"d", b"dd", b"di",
    b"f", b"f03", b"f08", b"f90", b"f95", b"for", b"fpp", b"ftn", b"go", b"gs", b"h++", b"hh", b"hip", b"hp",
    b"hpp", b"hxx", b"ii", b"inl", b"ixx", b"ll", b"m", b"mi", b"mii", b"mm", b"mod", b"s", b"sx", b"tcc",
    b"txx",
];
