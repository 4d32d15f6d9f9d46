//! What language an input file is in.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::compiler::Driven;

/// The language of an input, as far as the driver cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// C that is to be preprocessed.
    C,
    /// C that is preprocessed already (`.i`).
    PreprocessedC,
    /// C++ that is to be preprocessed.
    Cplusplus,
    /// C++ that is preprocessed already (`.ii`).
    PreprocessedCplusplus,
    /// A C or C++ header on its own: the compiler makes a precompiled header of it.
    Header,
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
            b"c++" => Some(Language::Cplusplus),
            b"c++-cpp-output" => Some(Language::PreprocessedCplusplus),
            b"c-header" | b"c++-header" => Some(Language::Header),
            _ => Some(Language::Other),
        }
    }

    /// What the file's suffix says to the compiler that we stand in for.
    pub fn of_file(path: &Path, driven: Driven) -> Language {
        let Some(suffix) = path.extension() else { return Language::LinkerInput };
        match (suffix.as_bytes(), driven) {
            (b"c", Driven::C) => Language::C,
            (b"i", Driven::C) => Language::PreprocessedC,
            (b"c", Driven::Cplusplus) => Language::Cplusplus,
            (b"i", Driven::Cplusplus) => Language::PreprocessedCplusplus,
            (b"C" | b"CPP" | b"c++" | b"cc" | b"cp" | b"cpp" | b"cxx", _) => Language::Cplusplus,
            (b"ii", _) => Language::PreprocessedCplusplus,
            (b"h" | b"H" | b"h++" | b"hh" | b"hp" | b"hpp" | b"hxx" | b"HPP" | b"tcc", _) => Language::Header,
            (suffix, _) if OTHER_SUFFIXES.contains(&suffix) => Language::Other,
            _ => Language::LinkerInput,
        }
    }

    /// Whether we want debug information of such a source.
    pub fn is_source(self) -> bool {
        self.has_facts() || matches!(self, Language::Cplusplus | Language::PreprocessedCplusplus)
    }

    /// Whether the driver gathers facts from such a source. Of C++ its debug information says all that is known.
    pub fn has_facts(self) -> bool {
        matches!(self, Language::C | Language::PreprocessedC)
    }

    /// Whether the compiler looks for headers when it reads such a file.
    pub fn includes_headers(self) -> bool {
        matches!(self, Language::C | Language::Cplusplus | Language::Header)
    }
}

/// Suffixes of the other languages that gcc or clang take.
const OTHER_SUFFIXES: [&[u8]; 42] = [
    b"F", b"F03", b"F08", b"F90", b"F95", b"FOR", b"FPP", b"FTN", b"M", b"S", b"ads", b"adb", b"bc", b"brig",
    b"cl", b"cppm", b"cu", b"d", b"dd", b"di", b"f", b"f03", b"f08", b"f90", b"f95", b"for", b"fpp", b"ftn",
    b"go", b"gs", b"hip", b"inl", b"ixx", b"ll", b"m", b"mi", b"mii", b"mm", b"mod", b"s", b"sx", b"txx",
];
