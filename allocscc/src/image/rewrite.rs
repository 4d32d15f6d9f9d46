//! Takes sections out of a linked file and adds one, without moving anything that a segment holds.
//!
//! Everything behind the last byte of the memory image is laid out anew: the sections that stay, in their order, then the added
//! one, the section names, and the section header table. Whatever is not certain to come out right is an error, and the caller
//! keeps the file as the linker wrote it.

use std::borrow::Cow;

use anyhow::{Context, Result, ensure};

use super::append::{SECTION_ALIGNMENT, Tail, push_section_table};
use super::elf::{
    Elf, FILE_HEADER_SIZE, FileKind, SHF_COMPRESSED, SHN_LORESERVE, SHT_NOBITS, SHT_PROGBITS, SHT_SYMTAB,
    Section, SectionIndex,
};
use super::renumber::{Renumbering, is_relocations};

/// What is to be different in the rewritten file.
pub struct Edit<'a> {
    /// Whether to take this section out. Relocations for a section that goes away go with it.
    pub remove: &'a dyn Fn(&Section) -> bool,
    /// Whether to take the symbol table out, as the linker's `-s` does.
    pub strip_symbols: bool,
    /// Sections that are not in memory and get other contents.
    pub replace: &'a [ReplacedSection],
    /// Name and contents of a section to add.
    pub add: Option<(&'a str, &'a [u8])>,
}

/// A section with other contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplacedSection {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A section that is not in memory has no use for a larger alignment.
const MAX_ALIGNMENT: u64 = 1 << 16;

/// The bytes of the file after the edit.
pub fn rewrite(elf: &Elf, edit: &Edit) -> Result<Vec<u8>> {
    ensure!(elf.kind == FileKind::Linked, "only a linked file is laid out anew");
    ensure!(elf.sections.len() < SHN_LORESERVE as usize - 1, "too many sections");
    let renumbering = Renumbering::new(elf, edit)?;
    let image_end = elf.end_of_image()?;
    let mut tail = Tail { start: image_end, bytes: Vec::new() };

    // Bytes are placed in the order of the old ones; the table keeps its own order.
    let mut by_offset: Vec<usize> = renumbering.staying().collect();
    by_offset.sort_by_key(|&index| elf.sections[index].sh_offset);
    let mut placed = elf.sections.clone();
    for index in by_offset {
        let is_names = SectionIndex(index as u32) == elf.names;
        if index != 0 && !is_names && lies_behind(&elf.sections[index], image_end) {
            let bytes = match replacement(elf, edit, index)? {
                Some(bytes) => Cow::Borrowed(bytes),
                None => renumbering.bytes(elf, index)?,
            };
            ensure!(placed[index].sh_addralign <= MAX_ALIGNMENT, "section {index} has an odd alignment");
            placed[index].sh_size = bytes.len() as u64;
            placed[index].sh_offset = tail.push(&bytes, placed[index].sh_addralign);
        }
    }
    let mut sections = Vec::with_capacity(placed.len() + 1);
    for index in renumbering.staying() {
        sections.push(renumbering.section(&placed[index])?);
    }
    if let Some((name, contents)) = edit.add {
        sections.push(added(name, tail.push(contents, SECTION_ALIGNMENT), contents.len()));
    }

    let SectionIndex(old_names) = elf.names;
    let names_index = renumbering.index(old_names)?;
    let names = name_table(&mut sections)?;
    let names_section = &mut sections[names_index as usize];
    names_section.sh_size = names.len() as u64;
    names_section.sh_offset = tail.push(&names, 1);

    let mut file = elf.file[..image_end as usize].to_vec();
    finish(&mut file, tail, sections, names_index)?;
    Ok(file)
}

/// The other contents that a section gets.
fn replacement<'e>(elf: &Elf, edit: &Edit<'e>, index: usize) -> Result<Option<&'e [u8]>> {
    let section = &elf.sections[index];
    let Some(replaced) = edit.replace.iter().find(|replaced| replaced.name.as_bytes() == section.name) else {
        return Ok(None);
    };
    ensure!(section.sh_flags & SHF_COMPRESSED == 0, "section {} is compressed", replaced.name);
    let has_relocations = |other: &Section| is_relocations(other) && other.sh_info as usize == index;
    ensure!(!elf.sections.iter().any(has_relocations), "section {} has relocations", replaced.name);
    Ok(Some(&replaced.bytes))
}

/// A symbol table is always placed anew, because symbols may go away; the linker never puts it into the image.
fn lies_behind(section: &Section, image_end: u64) -> bool {
    let may_move = section.sh_type != SHT_NOBITS && !section.is_alloc();
    may_move && (section.sh_offset >= image_end || section.sh_type == SHT_SYMTAB)
}

fn added<'d>(name: &'d str, sh_offset: u64, size: usize) -> Section<'d> {
    Section {
        name: name.as_bytes(),
        sh_name: 0,
        sh_type: SHT_PROGBITS,
        sh_flags: 0,
        sh_addr: 0,
        sh_offset,
        sh_size: size as u64,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: SECTION_ALIGNMENT,
        sh_entsize: 0,
    }
}

/// A table of the sections' names; the sections get their places in it.
fn name_table(sections: &mut [Section]) -> Result<Vec<u8>> {
    let mut table = vec![0];
    for section in sections {
        section.sh_name = 0;
        if !section.name.is_empty() {
            section.sh_name = u32::try_from(table.len()).context("the table of section names is too long")?;
            table.extend(section.name);
            table.push(0);
        }
    }
    Ok(table)
}

fn finish(file: &mut Vec<u8>, mut tail: Tail, mut sections: Vec<Section>, names: u32) -> Result<()> {
    let mut header = push_section_table(file, &mut sections, &mut tail)?;
    header[62..64].copy_from_slice(&(names as u16).to_le_bytes());
    file[..FILE_HEADER_SIZE].copy_from_slice(&header);
    file.extend(tail.bytes);
    Ok(())
}
