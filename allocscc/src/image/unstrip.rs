//! Puts a stripped file and its debug information, kept in a file apart, together again.
//!
//! What comes out is for reading alone. The debug file says which bytes are which addresses' in the same way as the stripped one, since it
//! was taken out of the same file; of its sections those with debug info and symbols have contents.

use anyhow::{Context, Result, ensure};

use super::append::{Tail, push_section_table};
use super::debug_info::is_debug_section;
use super::elf::{Elf, FILE_HEADER_SIZE, FileKind, SHT_NOBITS, SHT_SYMTAB, Section};

/// The bytes of `stripped` with the debug sections of `debug`, and with its symbol table if `stripped` has none.
pub fn with_debug_sections(stripped: &Elf, debug: &Elf) -> Result<Vec<u8>> {
    ensure!(debug.kind == FileKind::Linked, "the debug information is that of an object file");
    let mut tail = Tail { start: stripped.file.len() as u64, bytes: Vec::new() };
    let mut sections: Vec<Section> =
        stripped.sections.iter().filter(|section| !is_debug_section(section)).cloned().collect();
    let names = stripped.sections.get(stripped.names.0 as usize).context("no section names")?;
    let mut strings = names.bytes(stripped.file)?.to_vec();
    let mut add = |section: &Section<'_>, sections: &mut Vec<Section>| -> Result<u32> {
        let bytes = section.bytes(debug.file)?;
        let sh_name = u32::try_from(strings.len()).context("the table of section names is too long")?;
        strings.extend(section.name);
        strings.push(0);
        let sh_offset = tail.push(bytes, section.sh_addralign.clamp(1, 16));
        let sh_size = bytes.len() as u64;
        sections.push(Section { name: b"", sh_name, sh_offset, sh_size, ..section.clone() });
        Ok(sections.len() as u32 - 1)
    };
    for section in debug.sections.iter().filter(|s| is_debug_section(s) && s.sh_type != SHT_NOBITS) {
        add(&Section { sh_link: 0, sh_info: 0, ..section.clone() }, &mut sections)?;
    }
    if let (false, Some(symbols)) = (has_symbols(stripped), symbols(debug)) {
        let strings = debug.sections.get(symbols.sh_link as usize).context("the symbols have no names")?;
        let sh_link = add(strings, &mut sections)?;
        add(&Section { sh_link, ..symbols.clone() }, &mut sections)?;
    }
    finish(stripped, sections, strings, tail)
}

fn has_symbols(elf: &Elf) -> bool {
    symbols(elf).is_some()
}

fn symbols<'e, 'd>(elf: &'e Elf<'d>) -> Option<&'e Section<'d>> {
    elf.sections.iter().find(|section| section.sh_type == SHT_SYMTAB)
}

fn finish(stripped: &Elf, mut sections: Vec<Section>, strings: Vec<u8>, mut tail: Tail) -> Result<Vec<u8>> {
    let old_names = &stripped.sections[stripped.names.0 as usize];
    let names = sections.iter().position(|s| s == old_names).context("no section names")?;
    sections[names].sh_offset = tail.push(&strings, 1);
    sections[names].sh_size = strings.len() as u64;
    let mut header = push_section_table(stripped.file, &mut sections, &mut tail)?;
    header[62..64].copy_from_slice(&u16::try_from(names)?.to_le_bytes());
    let mut file = stripped.file.to_vec();
    file[..FILE_HEADER_SIZE].copy_from_slice(&header);
    file.extend(tail.bytes);
    Ok(file)
}
