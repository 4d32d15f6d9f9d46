//! Carries references over when sections go away: section indices, symbols, and the relocations that a linker was told to keep.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};

use super::elf::{
    Elf, SHF_INFO_LINK, SHN_LORESERVE, SHN_XINDEX, SHT_GROUP, SHT_REL, SHT_RELA, SHT_SYMTAB,
    SHT_SYMTAB_SHNDX, SYMBOL_SIZE, Section, SectionIndex, u16_at, u32_at,
};
use super::rewrite::Edit;

/// Size of an entry of a `SHT_RELA` section.
const RELA_SIZE: usize = 24;

/// Which section and which symbol gets which number.
pub struct Renumbering {
    /// New index of each section; `None` for one that goes away.
    sections: Vec<Option<u32>>,
    symbols: Symbols,
}

#[derive(Default)]
struct Symbols {
    table: Vec<u8>,
    /// Number of local symbols; they come first.
    locals: u32,
    /// New index of each symbol.
    new: Vec<Option<u32>>,
}

impl Renumbering {
    /// Numbers the sections that stay.
    pub fn new(elf: &Elf, edit: &Edit) -> Result<Renumbering> {
        let mut removed: Vec<bool> =
            elf.sections.iter().enumerate().map(|(i, s)| i != 0 && (edit.remove)(s)).collect();
        for (index, section) in elf.sections.iter().enumerate() {
            if is_relocations(section) && removed.get(section.sh_info as usize) == Some(&true) {
                removed[index] = true;
            }
        }
        if edit.strip_symbols {
            remove_symbol_table(elf, &mut removed);
        }
        let mut renumbering = Renumbering { sections: number(elf, &removed)?, symbols: Symbols::default() };
        let mut tables = elf.sections.iter().zip(&removed).filter(|(s, r)| s.sh_type == SHT_SYMTAB && !**r);
        if let Some((table, _)) = tables.next() {
            renumbering.symbols = renumbering.symbols(table.bytes(elf.file)?)?;
        }
        ensure!(tables.next().is_none(), "more than one symbol table");
        Ok(renumbering)
    }

    /// Old indices of the sections that stay.
    pub fn staying(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.sections.len()).filter(|&index| self.sections[index].is_some())
    }

    /// New index of a section that stays.
    pub fn index(&self, old: u32) -> Result<u32> {
        let new = self.sections.get(old as usize).copied().flatten();
        new.with_context(|| format!("section {old} is referred to but does not stay"))
    }

    /// The section with its references to others carried over.
    pub fn section<'d>(&self, old: &Section<'d>) -> Result<Section<'d>> {
        let context = || format!("section {}", old.name.escape_ascii());
        ensure!(
            !matches!(old.sh_type, SHT_GROUP | SHT_SYMTAB_SHNDX),
            "section {} has a type that a linked file seldom has",
            old.name.escape_ascii()
        );
        let mut section = old.clone();
        // In a static executable the relocations for indirect functions name a symbol table, but no symbol.
        let may_lose_symbols = old.is_alloc() && matches!(old.sh_type, SHT_REL | SHT_RELA);
        section.sh_link = match self.index(old.sh_link) {
            Err(_) if may_lose_symbols => 0,
            index => index.with_context(context)?,
        };
        if old.sh_type == SHT_SYMTAB {
            section.sh_info = self.symbols.locals;
        } else if is_relocations(old) || old.sh_flags & SHF_INFO_LINK != 0 {
            section.sh_info = self.index(old.sh_info).with_context(context)?;
        }
        Ok(section)
    }

    /// The bytes of a section that is not in memory, with references to sections and symbols carried over.
    pub fn bytes<'d>(&'d self, elf: &Elf<'d>, index: usize) -> Result<Cow<'d, [u8]>> {
        let section = &elf.sections[index];
        let bytes = section.bytes(elf.file)?;
        match section.sh_type {
            SHT_SYMTAB => Ok(Cow::Borrowed(&self.symbols.table)),
            SHT_RELA => Ok(Cow::Owned(self.relocations(bytes)?)),
            SHT_REL => bail!("section {} is not of x86-64", section.name.escape_ascii()),
            _ => Ok(Cow::Borrowed(bytes)),
        }
    }

    /// The symbol table without the symbols of sections that go away.
    fn symbols(&self, old: &[u8]) -> Result<Symbols> {
        let mut symbols = Symbols::default();
        let mut count = 0;
        for symbol in old.chunks_exact(SYMBOL_SIZE) {
            let is_local = symbol[4] >> 4 == 0;
            let shndx = u16_at(symbol, 6)?;
            ensure!(shndx != SHN_XINDEX, "a symbol has an extended section index");
            let mut section = shndx.to_le_bytes();
            if u32::from(shndx) < SHN_LORESERVE {
                match self.sections.get(usize::from(shndx)) {
                    Some(Some(index)) => section = (*index as u16).to_le_bytes(),
                    // Not only section symbols: with -flto the compiler names places in `.debug_info`.
                    Some(None) => {
                        symbols.new.push(None);
                        continue;
                    }
                    None => bail!("a symbol is defined in section {shndx}, which is not there"),
                }
            }
            symbols.new.push(Some(count));
            count += 1;
            symbols.locals += u32::from(is_local);
            symbols.table.extend(&symbol[..6]);
            symbols.table.extend(section);
            symbols.table.extend(&symbol[8..]);
        }
        Ok(symbols)
    }

    fn relocations(&self, old: &[u8]) -> Result<Vec<u8>> {
        let mut relocations = old.to_vec();
        for relocation in relocations.chunks_exact_mut(RELA_SIZE) {
            let symbol = u32_at(relocation, 12)?;
            let new = self.symbols.new.get(symbol as usize).copied().flatten();
            let new =
                new.with_context(|| format!("a relocation needs symbol {symbol}, which does not stay"))?;
            relocation[12..16].copy_from_slice(&new.to_le_bytes());
        }
        Ok(relocations)
    }
}

/// Removes the symbol table, and its strings unless another section's names are there too.
fn remove_symbol_table(elf: &Elf, removed: &mut [bool]) {
    let SectionIndex(names) = elf.names;
    for (index, section) in elf.sections.iter().enumerate() {
        let is_table = section.sh_type == SHT_SYMTAB;
        if !is_table && section.sh_type != SHT_SYMTAB_SHNDX {
            continue;
        }
        removed[index] = true;
        let strings = section.sh_link;
        let is_shared = strings == names
            || elf.sections.iter().any(|other| other.sh_link == strings && other.sh_type != SHT_SYMTAB);
        if is_table && strings != 0 && !is_shared && (strings as usize) < removed.len() {
            removed[strings as usize] = true;
        }
    }
}

fn number(elf: &Elf, removed: &[bool]) -> Result<Vec<Option<u32>>> {
    let SectionIndex(names) = elf.names;
    let mut next = 0;
    let mut new = Vec::with_capacity(removed.len());
    for (section, &removed) in elf.sections.iter().zip(removed) {
        let name = section.name.escape_ascii();
        if removed {
            ensure!(!section.is_alloc(), "section {name} is in memory");
            new.push(None);
            continue;
        }
        ensure!(section.sh_link != names, "section {name} shares the table of section names");
        // `.dynsym` holds section indices too, and lies where nothing may change.
        ensure!(!section.is_alloc() || next as usize == new.len(), "section {name} comes behind debug info");
        new.push(Some(next));
        next += 1;
    }
    ensure!(new[names as usize].is_some(), "the table of section names is to be removed");
    Ok(new)
}

pub(super) fn is_relocations(section: &Section) -> bool {
    matches!(section.sh_type, SHT_REL | SHT_RELA) && !section.is_alloc()
}
