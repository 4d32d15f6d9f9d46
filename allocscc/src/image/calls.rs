//! The instructions of a linked file that call functions of given names.
//!
//! A function is reached directly (by its symbol), through a procedure linkage table entry, or through a slot of the global offset table
//! that a dynamic relocation fills. What a call through a register or other memory reaches is not seen.

use anyhow::{Context, Result};
use iced_x86::{Decoder, DecoderOptions, Instruction};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::branches::{Branch, Branches, Destination};
use super::dynamic::{self, SlotKind};

/// An address in the file, as the link editor assigned it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Svma(pub u64);

/// An instruction that calls a function, or jumps to it as a tail call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallInstruction<T> {
    /// Address of the instruction behind the call: the return address that the callee sees. For a tail call the address
    /// behind the jump, which nobody sees.
    pub return_svma: Svma,
    /// What is called.
    pub callee: T,
    /// It is a jump: the callee returns to the caller's caller.
    pub is_tail: bool,
}

/// All calls among `branches` to functions whose symbol, without a version, is `wanted`, by ascending address.
pub fn to_symbols(
    branches: &Branches<'_, '_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<CallInstruction<String>>> {
    Ok(Targets::of(branches.file(), |name, _| wanted(name).then(|| name.to_owned()))?.calls(branches))
}

/// The same, and all calls through registers and memory, whose callee is `None`.
pub fn to_symbols_or_pointers(
    branches: &Branches<'_, '_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<CallInstruction<Option<String>>>> {
    let mut targets = Targets::of(branches.file(), |name, _| wanted(name).then(|| Some(name.to_owned())))?;
    targets.pointer = Some(None);
    Ok(targets.calls(branches))
}

/// All calls to the functions that the file defines at the `entries`, by ascending address.
pub fn to_entries(
    branches: &Branches<'_, '_>,
    entries: &FxHashSet<Svma>,
) -> Result<Vec<CallInstruction<Svma>>> {
    Ok(Targets::of(branches.file(), |_, entry| entry.filter(|e| entries.contains(e)))?.calls(branches))
}

/// Where the wanted functions are reached.
struct Targets<T> {
    /// Address of the function or of its linkage table entry.
    code: FxHashMap<u64, T>,
    /// Address of the global offset table slot that holds its address.
    slots: FxHashMap<u64, T>,
    /// What a call through anything else reaches, if such calls are wanted.
    pointer: Option<T>,
}

impl<T: Clone> Targets<T> {
    /// `wanted` gets the name of each function symbol and, where the file defines it, its address.
    fn of(file: &ElfFile64<'_>, wanted: impl Fn(&str, Option<Svma>) -> Option<T>) -> Result<Self> {
        let mut code = FxHashMap::default();
        let mut defined = FxHashMap::default();
        for symbol in file.symbols().chain(file.dynamic_symbols()) {
            if symbol.kind() == SymbolKind::Text && symbol.is_definition() {
                let name = without_version(symbol.name().unwrap_or(""));
                let entry = Svma(symbol.address());
                defined.insert(name, entry);
                if let Some(target) = wanted(name, Some(entry)) {
                    code.entry(entry.0).or_insert(target);
                }
            }
        }
        let slots = slots(file, |name| wanted(name, defined.get(name).copied()))?;
        let mut targets = Targets { code, slots, pointer: None };
        targets.add_linkage_tables(file)?;
        Ok(targets)
    }

    fn calls(&self, branches: &Branches<'_, '_>) -> Vec<CallInstruction<T>> {
        let call = |branch: &Branch| {
            let callee = self.callee(branch.to)?.clone();
            Some(CallInstruction { return_svma: branch.behind, callee, is_tail: branch.is_jump })
        };
        let mut calls: Vec<_> = branches.all.iter().filter_map(call).collect();
        calls.sort_by_key(|c| c.return_svma);
        calls.dedup_by_key(|c| c.return_svma);
        calls
    }

    /// Entries of the procedure linkage tables: `jmp *slot(%rip)`, perhaps behind an `endbr64`.
    fn add_linkage_tables(&mut self, file: &ElfFile64<'_>) -> Result<()> {
        for section in file.sections() {
            let Ok(name) = section.name() else { continue };
            if !name.starts_with(".plt") {
                continue;
            }
            let code = section.data().with_context(|| format!("section {name} cannot be read"))?;
            let mut landing_pad = None;
            for instruction in instructions(code, section.address()) {
                let branch = Branch::of(&instruction);
                if let Some(callee) = branch.and_then(|branch| self.through_slot(branch.to)) {
                    let entry = landing_pad.filter(|&pad| pad + 4 == instruction.ip());
                    let callee = callee.clone();
                    self.code.insert(entry.unwrap_or(instruction.ip()), callee);
                }
                landing_pad =
                    (instruction.mnemonic() == iced_x86::Mnemonic::Endbr64).then_some(instruction.ip());
            }
        }
        Ok(())
    }

    fn callee(&self, to: Destination) -> Option<&T> {
        match to {
            Destination::Code(target) => self.code.get(&target),
            Destination::Slot(_) | Destination::Pointer => self.through_slot(to).or(self.pointer.as_ref()),
        }
    }

    fn through_slot(&self, to: Destination) -> Option<&T> {
        match to {
            Destination::Slot(slot) => self.slots.get(&slot),
            Destination::Code(_) | Destination::Pointer => None,
        }
    }
}

/// Slots that dynamic relocations fill with the address of a wanted function.
fn slots<T>(file: &ElfFile64<'_>, wanted: impl Fn(&str) -> Option<T>) -> Result<FxHashMap<u64, T>> {
    let mut slots = dynamic::slots(file)?;
    slots.retain(|slot| slot.kind != SlotKind::Variable);
    Ok(slots.into_iter().filter_map(|slot| Some((slot.svma.0, wanted(slot.symbol)?))).collect())
}

/// The instructions in some code, by address.
pub(super) fn instructions(code: &[u8], start: u64) -> impl Iterator<Item = Instruction> + use<'_> {
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    std::iter::from_fn(move || decoder.can_decode().then(|| decoder.decode()))
}

/// Addresses at which functions start, ascending.
#[must_use]
pub fn function_starts(file: &ElfFile64<'_>) -> Vec<Svma> {
    let mut starts: Vec<Svma> = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|s| s.kind() == SymbolKind::Text && s.is_definition())
        .map(|s| Svma(s.address()))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// `memcpy@GLIBC_2.14` is `memcpy`.
pub(super) fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}
