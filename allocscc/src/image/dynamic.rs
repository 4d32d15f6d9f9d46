//! What the dynamic linker connects: functions that a file has for others, symbols that it wants, and the slots for addresses.

use anyhow::{Context, Result};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader as _};
use object::{Endianness, Object, ObjectSymbol, SymbolKind, elf};
use rustc_hash::{FxHashMap, FxHashSet};

use super::calls::{Svma, without_version};

/// The functions that a file has for others: name and address. That of an indirect one, as `strchr` is in the C library, is the address
/// of what chooses among its versions.
pub fn exported_functions<'f>(file: &'f ElfFile64<'_>) -> impl Iterator<Item = (&'f str, Svma)> {
    // `is_definition` leaves out indirect ones.
    let functions = file.dynamic_symbols().filter(|s| s.kind() == SymbolKind::Text && !s.is_undefined());
    functions.filter_map(|s| Some((without_version(s.name().ok()?), Svma(s.address()))))
}

/// Whether the file is a program that the dynamic linker starts.
#[must_use]
pub fn is_program(file: &ElfFile64<'_>) -> bool {
    file.section_by_name(".interp").is_some()
}

/// The names of what a file wants from others.
#[must_use]
pub fn undefined_symbols<'f>(file: &'f ElfFile64<'_>) -> FxHashSet<&'f str> {
    let undefined = file.dynamic_symbols().filter(ObjectSymbol::is_undefined);
    undefined.filter_map(|s| s.name().ok()).map(without_version).filter(|name| !name.is_empty()).collect()
}

/// A word that the dynamic linker fills in with the address of a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot<'f> {
    /// The symbol, without its version.
    pub symbol: &'f str,
    /// Where it is in the file.
    pub svma: Svma,
    /// What it is for.
    pub kind: SlotKind,
}

/// What a [`Slot`] is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotKind {
    /// Code loads the address from it, or calls through it. It is filled in when the file is loaded.
    Load,
    /// A variable of the program, which may get another value.
    Variable,
    /// Code calls through it. It may be filled in as late as at the first call.
    Call,
}

/// The words of a file that hold nothing but the address of a symbol.
pub fn slots<'f>(file: &ElfFile64<'f>) -> Result<Vec<Slot<'f>>> {
    let endian = Endianness::Little;
    let data = file.data();
    let sections = file.elf_header().sections(endian, data).context("the section headers cannot be read")?;
    let mut slots = Vec::new();
    for section in sections.iter() {
        let Some((relocations, link)) =
            section.rela(endian, data).context("a relocation section cannot be read")?
        else {
            continue;
        };
        let Ok(symbols) = sections.symbol_table_by_index(endian, data, link) else { continue };
        for relocation in relocations {
            let kind = match relocation.r_type(endian, false) {
                elf::R_X86_64_JUMP_SLOT => SlotKind::Call,
                elf::R_X86_64_GLOB_DAT => SlotKind::Load,
                elf::R_X86_64_64 if relocation.r_addend.get(endian) == 0 => SlotKind::Variable,
                _ => continue,
            };
            let index = object::SymbolIndex(relocation.r_sym(endian, false) as usize);
            let Ok(symbol) = symbols.symbol(index) else { continue };
            let Ok(name) = symbols.symbol_name(endian, symbol) else { continue };
            let symbol = without_version(std::str::from_utf8(name).unwrap_or(""));
            slots.push(Slot { symbol, svma: Svma(relocation.r_offset.get(endian)), kind });
        }
    }
    Ok(slots)
}

/// A slot of each symbol that has one: the one most sure to hold its address.
pub fn slot_of_each<'f>(file: &ElfFile64<'f>) -> Result<FxHashMap<&'f str, Svma>> {
    let mut slots = slots(file)?;
    // A variable with a constant initialiser may be constant or not; a slot for calls is at least that of those calls.
    let order = |kind| match kind {
        SlotKind::Load => 0,
        SlotKind::Call => 1,
        SlotKind::Variable => 2,
    };
    slots.sort_by_key(|slot| (order(slot.kind), slot.svma));
    let mut first = FxHashMap::default();
    for slot in slots {
        first.entry(slot.symbol).or_insert(slot.svma);
    }
    Ok(first)
}
