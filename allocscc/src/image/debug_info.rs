//! Which sections are debug info, and how much of it there is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Result;
use gimli::{EndianSlice, LittleEndian};
use object::{Object, ObjectSection};

use super::elf::{Elf, SHF_COMPRESSED, SHT_REL, SHT_RELA, Section, u64_at};

/// Whether the section holds debug info, or relocations or an index of it.
///
/// `.debug_gdb_scripts` is the program's own: no compiler option makes it.
pub fn is_debug_section(section: &Section) -> bool {
    let name = match section.sh_type {
        SHT_RELA => section.name.strip_prefix(b".rela").unwrap_or(section.name),
        SHT_REL => section.name.strip_prefix(b".rel").unwrap_or(section.name),
        _ => section.name,
    };
    !section.is_alloc()
        && (name.starts_with(b".debug_") || name.starts_with(b".zdebug_") || name == b".gdb_index")
        && name != b".debug_gdb_scripts"
}

/// Bytes of `.debug_info` in the file, as the linker concatenates them: uncompressed.
pub fn debug_info_size(elf: &Elf) -> Result<u64> {
    let mut size: u64 = 0;
    for section in &elf.sections {
        let of_section = match section.name {
            b".debug_info" if section.sh_flags & SHF_COMPRESSED != 0 => u64_at(section.bytes(elf.file)?, 8)?,
            b".debug_info" => section.sh_size,
            b".zdebug_info" => u64_at(section.bytes(elf.file)?, 4)?.swap_bytes(),
            _ => 0,
        };
        size = size.saturating_add(of_section);
    }
    Ok(size)
}

/// Bytes of `.debug_info` in a linked file that describe sources with one of these file stems.
///
/// Directories do not count, because the compiler may have been told to rewrite them (`-fdebug-prefix-map`), nor do
/// suffixes: what is compiled as `x.i` is described as `x.c`. Type units (`-fdebug-types-section`) have no name and count too.
pub fn debug_info_of_sources(file: &[u8], stems: &[&OsStr]) -> Result<u64> {
    let object = object::read::elf::ElfFile64::<object::LittleEndian>::parse(file)?;
    let load = |id: gimli::SectionId| match object.section_by_name(id.name()) {
        Some(section) => section.uncompressed_data(),
        None => Ok(Default::default()),
    };
    let sections = gimli::DwarfSections::load(load)?;
    let dwarf = sections.borrow(|section| EndianSlice::new(section, LittleEndian));
    let mut size = 0;
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let length = header.length_including_self() as u64;
        if matches!(header.type_(), gimli::UnitType::Type { .. }) {
            size += length;
            continue;
        }
        let unit = dwarf.unit(header)?;
        let name = unit.name.as_ref().map(|name| Path::new(OsStr::from_bytes(name.slice())));
        if name.and_then(Path::file_stem).is_some_and(|stem| stems.contains(&stem)) {
            size += length;
        }
    }
    Ok(size)
}
