//! Adds a section to an ELF file in place: every byte and section index that is there stays as it is.
//!
//! The section's bytes, a longer table of section names and a new section header table go behind the end of the file; then the
//! file header is written over, in one write. A reader at any moment, also after a kill in between, sees a whole file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::elf::{
    Elf, FILE_HEADER_SIZE, SECTION_HEADER_SIZE, SHN_LORESERVE, SHT_PROGBITS, Section, SectionIndex,
};

/// Alignment of an added section, and of the linker's concatenation of several.
pub const SECTION_ALIGNMENT: u64 = 8;

/// What has to be written to add a section.
#[derive(Debug)]
pub struct Addition {
    /// Bytes to write behind the end of the file.
    pub tail: Vec<u8>,
    /// The new file header.
    pub header: [u8; FILE_HEADER_SIZE],
}

/// Adds section `name` to the file at `path`, whose contents are those of `elf`.
pub fn append_to_file(path: &Path, elf: &Elf, name: &str, contents: &[u8]) -> Result<()> {
    let addition = addition(elf, name, contents)?;
    let file = File::options().write(true).open(path)?;
    file.write_all_at(&addition.tail, elf.file.len() as u64)?;
    file.write_all_at(&addition.header, 0)?;
    Ok(())
}

/// Works out the tail and the header that add section `name`.
pub fn addition(elf: &Elf, name: &str, contents: &[u8]) -> Result<Addition> {
    let mut tail = Tail { start: elf.file.len() as u64, bytes: Vec::new() };
    let mut sections = elf.sections.clone();

    let sh_offset = tail.push(contents, SECTION_ALIGNMENT);
    let SectionIndex(names) = elf.names;
    let names = &mut sections[names as usize];
    let mut strings = names.bytes(elf.file)?.to_vec();
    let sh_name = u32::try_from(strings.len()).context("the table of section names is too long")?;
    strings.extend(name.as_bytes());
    strings.push(0);
    names.sh_offset = tail.push(&strings, 1);
    names.sh_size = strings.len() as u64;

    sections.push(Section {
        name: b"",
        sh_name,
        sh_type: SHT_PROGBITS,
        sh_flags: 0,
        sh_addr: 0,
        sh_offset,
        sh_size: contents.len() as u64,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: SECTION_ALIGNMENT,
        sh_entsize: 0,
    });
    let header = push_section_table(elf.file, &mut sections, &mut tail)?;
    Ok(Addition { tail: tail.bytes, header })
}

/// Puts the section header table behind all else. Returns the header of `file` that leads to it.
pub(super) fn push_section_table(
    file: &[u8],
    sections: &mut [Section],
    tail: &mut Tail,
) -> Result<[u8; FILE_HEADER_SIZE]> {
    let mut header = *file.first_chunk().context("no file header")?;
    let count = u32::try_from(sections.len()).context("too many sections")?;
    set_section_count(&mut header, sections.first_mut().context("no sections")?, count);
    let mut table = Vec::with_capacity(sections.len() * SECTION_HEADER_SIZE);
    for section in sections {
        section.write(&mut table);
    }
    let shoff = tail.push(&table, 8);
    ensure!(tail.start <= shoff, "the file is too long");
    header[40..48].copy_from_slice(&shoff.to_le_bytes());
    Ok(header)
}

/// Writes the number of sections where the file format wants it: in the file header, or in section 0 when it is too large.
fn set_section_count(header: &mut [u8; FILE_HEADER_SIZE], first: &mut Section, count: u32) {
    let (e_shnum, sh_size) = if count < SHN_LORESERVE { (count as u16, 0) } else { (0, u64::from(count)) };
    header[60..62].copy_from_slice(&e_shnum.to_le_bytes());
    first.sh_size = sh_size;
}

/// Bytes that come behind `start` bytes of a file.
pub(super) struct Tail {
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
}

impl Tail {
    /// Adds `bytes` at the next file offset that is a multiple of `alignment`, and returns that offset.
    pub(super) fn push(&mut self, bytes: &[u8], alignment: u64) -> u64 {
        let offset = (self.start + self.bytes.len() as u64).next_multiple_of(alignment.max(1));
        self.bytes.resize((offset - self.start) as usize, 0);
        self.bytes.extend(bytes);
        offset
    }
}
