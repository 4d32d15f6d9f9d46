//! Why debug information could not be read, and where it stands.

use std::fmt;

use gimli::UnitSectionOffset;

/// What is wrong in the debug information of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// The section.
    pub section: &'static str,
    /// Offset in the section of what was being read: a DIE, a unit, a frame entry.
    pub offset: Option<u64>,
    /// What is wrong there.
    pub problem: Problem,
}

/// The kinds of faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The bytes are not DWARF.
    Dwarf(gimli::Error),
    /// The file is not an ELF file for this machine, or its headers are broken.
    Elf(String),
}

/// Result of reading debug information.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A fault of the ELF file itself.
    pub(crate) fn elf(reason: impl fmt::Display) -> Error {
        Error { section: "ELF header", offset: None, problem: Problem::Elf(reason.to_string()) }
    }

    /// A fault of the DWARF at an offset in a section.
    pub(crate) fn at(section: &'static str, offset: u64) -> impl FnOnce(gimli::Error) -> Error {
        move |e| Error { section, offset: Some(offset), problem: Problem::Dwarf(e) }
    }

    /// A fault of the DWARF somewhere in a section.
    pub(crate) fn within(section: &'static str) -> impl FnOnce(gimli::Error) -> Error {
        move |e| Error { section, offset: None, problem: Problem::Dwarf(e) }
    }

    /// A fault of the DIE at an offset of `.debug_info` or `.debug_types`.
    pub(crate) fn die(
        section: gimli::SectionId,
        at: UnitSectionOffset,
    ) -> impl FnOnce(gimli::Error) -> Error {
        Error::at(section.name(), at.0 as u64)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.section)?;
        if let Some(offset) = self.offset {
            write!(f, " at {offset:#x}")?;
        }
        match &self.problem {
            Problem::Dwarf(e) => write!(f, ": {e}"),
            Problem::Elf(reason) => write!(f, ": {reason}"),
        }
    }
}

impl std::error::Error for Error {}
