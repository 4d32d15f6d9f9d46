//! The words of a loaded file that the dynamic linker has filled with the addresses of symbols.
//!
//! # Safety
//! The tables are those of a file that is loaded: the dynamic linker has followed them itself. A word that it filled lies in the file, where it
//! is writable, or in the part that was made read-only afterwards.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

use super::links;
use super::lookup::{Symbol, place};
use super::memory::{self, Access, PAGE_SIZE};
use crate::avma::Avma;

/// `Elf64_Rela`.
#[repr(C)]
struct Relocation {
    offset: u64,
    info: u64,
    addend: i64,
}

/// A word that holds the address of a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    place: Avma,
    addend: i64,
}

/// Calls `f` for each word of a file that holds the address of a symbol whose name begins with `prefix`.
///
/// # Safety
/// `dynamic` is the dynamic section of a file that stays loaded meanwhile, and `bias` what is added to its addresses.
pub unsafe fn of_symbols(bias: usize, dynamic: Avma, prefix: &[u8], mut f: impl FnMut(&'static CStr, Slot)) {
    const DT_STRTAB: usize = 5;
    const DT_SYMTAB: usize = 6;
    const DT_RELA: usize = 7;
    const DT_RELASZ: usize = 8;
    const R_X86_64_64: u64 = 1;
    const R_X86_64_GLOB_DAT: u64 = 6;
    let [mut names, mut symbols, mut relocations, mut size] = [0; 4];
    // SAFETY: the file is loaded.
    for [tag, value] in unsafe { links::entries(dynamic) } {
        match tag {
            DT_STRTAB => names = value,
            DT_SYMTAB => symbols = value,
            DT_RELA => relocations = value,
            DT_RELASZ => size = value,
            _ => {}
        }
    }
    if names == 0 || symbols == 0 || relocations == 0 {
        return;
    }
    let (names, symbols) = (place::<c_char>(bias, names), place::<Symbol>(bias, symbols));
    // SAFETY: the table has so many bytes.
    let relocations = unsafe {
        core::slice::from_raw_parts(place::<Relocation>(bias, relocations), size / size_of::<Relocation>())
    };
    for relocation in relocations {
        if !matches!(relocation.info & 0xffff_ffff, R_X86_64_64 | R_X86_64_GLOB_DAT) {
            continue;
        }
        // SAFETY: a relocation names a symbol of the table, and that a string of the other one.
        let name = unsafe {
            let symbol = symbols.add((relocation.info >> 32) as usize);
            CStr::from_ptr(names.add((*symbol).name as usize))
        };
        if name.to_bytes().starts_with(prefix) {
            let place = Avma(bias.wrapping_add(relocation.offset as usize));
            f(name, Slot { place, addend: relocation.addend });
        }
    }
}

impl Slot {
    /// Leads it to another address. `read_only` is what the dynamic linker made read-only of the file: start and size. Without permission
    /// it stays as it was.
    ///
    /// # Safety
    /// The file is loaded, and no code of it runs that reads the word.
    pub unsafe fn lead_to(self, address: Avma, read_only: (Avma, usize)) {
        let word = self.place.pointer::<usize>();
        let value = address.0.wrapping_add(self.addend as usize);
        // SAFETY: the word is one that the dynamic linker filled.
        if unsafe { word.read_unaligned() } == value {
            return;
        }
        let page = Avma(self.place.0 & !(PAGE_SIZE - 1));
        let len =
            if self.place.0 + size_of::<usize>() > page.0 + PAGE_SIZE { 2 * PAGE_SIZE } else { PAGE_SIZE };
        let is_read_only = self.place.is_in(read_only.0, read_only.1);
        // SAFETY: the pages are the file's, and nobody else writes what was made read-only.
        unsafe {
            if is_read_only && memory::protect(page, len, Access::Write).is_err() {
                return;
            }
            word.write_unaligned(value);
            if is_read_only {
                // The kernel refuses nothing here that it did not refuse before.
                let _ = memory::protect(page, len, Access::Read);
            }
        }
    }
}
