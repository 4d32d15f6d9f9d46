//! The code of the function that holds an address, instruction by instruction.

use std::ops::Range;

use iced_x86::Instruction;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, SectionKind};

use super::calls::{Svma, function_starts, instructions};

/// The executable sections of a linked file, and where its functions start.
pub struct FunctionCode<'data> {
    sections: Vec<(u64, &'data [u8])>,
    starts: Vec<Svma>,
}

/// The bytes of one function.
#[derive(Clone, Copy, Debug)]
pub struct Body<'data> {
    /// Address of the first byte.
    pub start: Svma,
    bytes: &'data [u8],
}

impl<'data> FunctionCode<'data> {
    /// Finds the code of a file. A section that cannot be read has none.
    #[must_use]
    pub fn of(file: &ElfFile64<'data>) -> Self {
        let sections = file
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .filter_map(|section| Some((section.address(), section.data().ok()?)))
            .collect();
        FunctionCode { sections, starts: function_starts(file) }
    }

    /// The function that holds an address: from the last start that is not behind it to the next one.
    #[must_use]
    pub fn around(&self, svma: Svma) -> Option<Body<'data>> {
        let &(address, bytes) =
            self.sections.iter().find(|(start, bytes)| svma.0.wrapping_sub(*start) < bytes.len() as u64)?;
        let next = self.starts.partition_point(|&start| start <= svma);
        let start = next.checked_sub(1).map_or(address, |last| self.starts[last].0.max(address));
        let end = address.checked_add(bytes.len() as u64)?;
        let end = self.starts.get(next).map_or(end, |next| next.0.min(end));
        let bytes = bytes.get((start - address) as usize..(end - address) as usize)?;
        Some(Body { start: Svma(start), bytes })
    }
}

impl<'data> Body<'data> {
    /// Some bytes at an address.
    #[must_use]
    pub fn new(start: Svma, bytes: &'data [u8]) -> Self {
        Body { start, bytes }
    }

    /// The addresses of the bytes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.start.0..self.start.0.saturating_add(self.bytes.len() as u64)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &'data [u8] {
        self.bytes
    }

    /// The instructions from an address on; none if it is not in the function.
    pub fn instructions_from(&self, from: Svma) -> impl Iterator<Item = Instruction> + use<'data> {
        let skipped = from.0.checked_sub(self.start.0).and_then(|n| usize::try_from(n).ok());
        let rest = skipped.and_then(|n| self.bytes.get(n..)).unwrap_or(&[]);
        instructions(rest, from.0)
    }
}
