//! Takes sections out of a linked file and adds one, without moving anything that a segment holds.
//!
//! Everything behind the last byte of the memory image is laid out anew: the sections that stay, in their order, then the added
//! one, the section names, and the section header table. References between sections are carried over. Whatever is not
//! certain to come out right is an error, and the caller keeps the file as the linker wrote it.

use anyhow::{Context, Result, bail, ensure};

use super::append::{SECTION_ALIGNMENT, Tail, set_section_count};
use super::elf::{
    Elf, FILE_HEADER_SIZE, FileKind, SECTION_HEADER_SIZE, SHF_INFO_LINK, SHN_LORESERVE, SHN_XINDEX,
    SHT_GROUP, SHT_NOBITS, SHT_PROGBITS, SHT_REL, SHT_RELA, SHT_SYMTAB, SHT_SYMTAB_SHNDX, SYMBOL_SIZE,
    Section, SectionIndex, u16_at,
};

/// What is to be different in the rewritten file.
pub struct Edit<'a> {
    /// Whether to take this section out. Relocations for a section that goes away go with it.
    pub remove: &'a dyn Fn(&Section) -> bool,
    /// Whether to take the symbol table out, as the linker's `-s` does.
    pub strip_symbols: bool,
    /// Name and contents of a section to add.
    pub add: Option<(&'a str, &'a [u8])>,
}

/// The bytes of the file after the edit.
pub fn rewrite(elf: &Elf, edit: &Edit) -> Result<Vec<u8>> {
    ensure!(elf.kind == FileKind::Linked, "only a linked file is laid out anew");
    ensure!(elf.sections.len() < SHN_LORESERVE as usize - 1, "too many sections");
    let SectionIndex(old_names) = elf.names;
    let renumbering = Renumbering::new(elf, edit)?;
    let image_end = elf.end_of_image()?;
    let mut tail = Tail { start: image_end, bytes: Vec::new() };
    let mut names = Names::default();
    let mut sections = Vec::new();

    for index in elf.by_offset(&renumbering) {
        let old = &elf.sections[index];
        let mut section = renumbering.section(old)?;
        if section.sh_type == SHT_SYMTAB {
            let (symbols, locals) = renumbering.symbols(old.bytes(elf.file)?)?;
            section.sh_size = symbols.len() as u64;
            section.sh_info = locals;
            section.sh_offset = tail.push(&symbols, section.sh_addralign);
        } else if index != 0 && index != old_names as usize && lies_behind(old, image_end) {
            section.sh_offset = tail.push(old.bytes(elf.file)?, section.sh_addralign);
        }
        sections.push((index, section));
    }
    // The table keeps the order of the old one; only the bytes were placed by offset.
    sections.sort_by_key(|&(index, _)| index);
    let mut sections: Vec<Section> = sections.into_iter().map(|(_, section)| section).collect();
    if let Some((name, contents)) = edit.add {
        let sh_offset = tail.push(contents, SECTION_ALIGNMENT);
        sections.push(added(name, sh_offset, contents.len()));
    }

    let names_index = renumbering.index(old_names)?;
    for section in &mut sections {
        section.sh_name = names.add(section.name)?;
    }
    let names_section = &mut sections[names_index as usize];
    names_section.sh_size = names.bytes.len() as u64;
    names_section.sh_offset = tail.push(&names.bytes, 1);

    let mut file = elf.file[..image_end as usize].to_vec();
    finish(&mut file, tail, sections, names_index)?;
    Ok(file)
}

fn lies_behind(section: &Section, image_end: u64) -> bool {
    section.sh_type != SHT_NOBITS && !section.is_alloc() && section.sh_offset >= image_end
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

fn finish(file: &mut Vec<u8>, mut tail: Tail, mut sections: Vec<Section>, names: u32) -> Result<()> {
    let mut header: [u8; FILE_HEADER_SIZE] = *file.first_chunk().context("no file header")?;
    let count = sections.len() as u32;
    set_section_count(&mut header, &mut sections[0], count);
    let mut table = Vec::with_capacity(sections.len() * SECTION_HEADER_SIZE);
    for section in &sections {
        section.write(&mut table);
    }
    let shoff = tail.push(&table, 8);
    header[40..48].copy_from_slice(&shoff.to_le_bytes());
    header[62..64].copy_from_slice(&(names as u16).to_le_bytes());
    file[..FILE_HEADER_SIZE].copy_from_slice(&header);
    file.extend(tail.bytes);
    Ok(())
}

impl Elf<'_> {
    /// Old indices of the sections that stay, by their place in the file.
    fn by_offset(&self, renumbering: &Renumbering) -> Vec<usize> {
        let mut indices: Vec<usize> =
            (0..self.sections.len()).filter(|&index| renumbering.new[index].is_some()).collect();
        indices.sort_by_key(|&index| self.sections[index].sh_offset);
        indices
    }
}

/// Which section gets which index.
struct Renumbering {
    new: Vec<Option<u32>>,
}

impl Renumbering {
    fn new(elf: &Elf, edit: &Edit) -> Result<Renumbering> {
        let SectionIndex(names) = elf.names;
        let mut removed: Vec<bool> =
            elf.sections.iter().enumerate().map(|(i, s)| i != 0 && (edit.remove)(s)).collect();
        for (index, section) in elf.sections.iter().enumerate() {
            let target = section.sh_info as usize;
            if is_relocations(section) && removed.get(target) == Some(&true) {
                removed[index] = true;
            }
        }
        for index in 0..elf.sections.len() {
            let section = &elf.sections[index];
            if edit.strip_symbols && matches!(section.sh_type, SHT_SYMTAB | SHT_SYMTAB_SHNDX) {
                removed[index] = true;
                let strings = section.sh_link as usize;
                let shared = elf.sections.iter().enumerate().any(|(other, s)| {
                    other != index && s.sh_link as usize == strings && s.sh_type != SHT_SYMTAB
                });
                if section.sh_type == SHT_SYMTAB && strings < removed.len() && strings != 0 && !shared {
                    removed[strings] = strings != names as usize;
                }
            }
        }
        let mut next = 0;
        let mut new = Vec::with_capacity(removed.len());
        for (section, &removed) in elf.sections.iter().zip(&removed) {
            if removed {
                ensure!(!section.is_alloc(), "section {} is in memory", section.name.escape_ascii());
                new.push(None);
                continue;
            }
            // `.dynsym` holds section indices too, and lies where nothing may change.
            if section.is_alloc() && next as usize != new.len() {
                bail!("section {} comes behind debug info", section.name.escape_ascii());
            }
            new.push(Some(next));
            next += 1;
        }
        ensure!(new[names as usize].is_some(), "the table of section names is to be removed");
        for (index, section) in elf.sections.iter().enumerate().filter(|&(index, _)| new[index].is_some()) {
            ensure!(
                section.sh_link != names,
                "the table of section names holds the names of section {index} too"
            );
            // Relocations count symbols by position.
            ensure!(!is_relocations(section), "the linker kept relocations (--emit-relocs)");
        }
        Ok(Renumbering { new })
    }

    fn index(&self, old: u32) -> Result<u32> {
        self.new
            .get(old as usize)
            .copied()
            .flatten()
            .with_context(|| format!("section {old} is referred to but does not stay"))
    }

    fn section<'d>(&self, old: &Section<'d>) -> Result<Section<'d>> {
        let context = || format!("section {}", old.name.escape_ascii());
        if matches!(old.sh_type, SHT_GROUP | SHT_SYMTAB_SHNDX) {
            bail!("section {} has a type that a linked file seldom has", old.name.escape_ascii());
        }
        let mut section = old.clone();
        section.sh_link = self.index(old.sh_link).with_context(context)?;
        let info_is_index = is_relocations(old) || old.sh_flags & SHF_INFO_LINK != 0;
        if info_is_index {
            section.sh_info = self.index(old.sh_info).with_context(context)?;
        }
        Ok(section)
    }

    /// The symbol table without the symbols of sections that go away, and its number of local symbols.
    fn symbols(&self, old: &[u8]) -> Result<(Vec<u8>, u32)> {
        let mut new = Vec::with_capacity(old.len());
        let mut locals = 0;
        for symbol in old.chunks_exact(SYMBOL_SIZE) {
            let is_local = symbol[4] >> 4 == 0;
            let shndx = u16_at(symbol, 6)?;
            ensure!(shndx != SHN_XINDEX, "a symbol has an extended section index");
            let mut symbol = symbol.to_vec();
            if u32::from(shndx) < SHN_LORESERVE {
                match self.new.get(usize::from(shndx)) {
                    Some(Some(index)) => symbol[6..8].copy_from_slice(&(*index as u16).to_le_bytes()),
                    Some(None) if is_local => continue,
                    _ => bail!("a global symbol is defined in section {shndx}, which does not stay"),
                }
            }
            locals += u32::from(is_local);
            new.extend(symbol);
        }
        Ok((new, locals))
    }
}

fn is_relocations(section: &Section) -> bool {
    matches!(section.sh_type, SHT_REL | SHT_RELA) && !section.is_alloc()
}

/// A table of section names.
struct Names {
    bytes: Vec<u8>,
}

impl Default for Names {
    fn default() -> Names {
        Names { bytes: vec![0] }
    }
}

impl Names {
    fn add(&mut self, name: &[u8]) -> Result<u32> {
        if name.is_empty() {
            return Ok(0);
        }
        let offset = u32::try_from(self.bytes.len()).context("the table of section names is too long")?;
        self.bytes.extend(name);
        self.bytes.push(0);
        Ok(offset)
    }
}
