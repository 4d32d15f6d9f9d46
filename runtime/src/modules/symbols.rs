//! The dynamic symbols of a loaded file: what is known of a file that allocscc did not build.
//!
//! # Safety
//! Only bytes of readable loaded segments of a file that is loaded now are read; what its tables state is checked against
//! the segments first.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};

use super::elf::{loaded, u16_at, u32_at, u64_at};
use super::open::first_page;
use super::{Module, dl};
use crate::avma::Avma;
use crate::sys::memory::PAGE_SIZE;

/// A symbol that covers an address.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// Start.
    pub base: Avma,
    /// Size in bytes.
    pub size: usize,
    name: Avma,
}

impl Symbol {
    /// Its name, as long as the file is loaded.
    #[must_use]
    pub fn c_name(&self) -> *const c_char {
        self.name.pointer()
    }

    /// Hands out its name, which is part of the file.
    pub fn name<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        // SAFETY: the string was checked to end in its table, and the file is loaded while a query about it runs.
        f(unsafe { CStr::from_ptr(self.c_name()) }.to_bytes())
    }
}

const DT_HASH: usize = 4;
const DT_STRTAB: usize = 5;
const DT_SYMTAB: usize = 6;
const DT_STRSZ: usize = 10;
const DT_GNU_HASH: usize = 0x6fff_fef5;
const SYMBOL_SIZE: usize = 24;

/// The smallest dynamic symbol of the file that covers an address; of aliases the one without an underscore, which is
/// that for programs.
#[must_use]
pub fn symbol_at(module: &Module, p: Avma) -> Option<Symbol> {
    Loaded::of(module)?.symbol_at(p)
}

/// The same for code that is on the calling thread's stack, so that its file stays loaded. Asks nobody, and takes no lock.
#[must_use]
pub fn symbol_on_stack(module: &Module, code: Avma) -> Option<Symbol> {
    // SAFETY: the first segment of a file starts at a page boundary and has at least one page; the file is loaded.
    let page = unsafe { core::slice::from_raw_parts(module.start.pointer::<u8>(), PAGE_SIZE) };
    Loaded { module, page }.symbol_at(code)
}

struct Tables {
    symbols: Avma,
    strings: Avma,
    strings_end: Avma,
    hash: Avma,
    gnu_hash: Avma,
}

impl Tables {
    /// A string of the string table, which ends with a NUL.
    fn string(&self, offset: u32) -> Option<Avma> {
        self.strings.checked_add(offset as usize).filter(|&at| at < self.strings_end)
    }
}

/// A file that is loaded now.
struct Loaded<'a> {
    module: &'a Module,
    page: &'a [u8],
}

impl<'a> Loaded<'a> {
    fn of(module: &'a Module) -> Option<Loaded<'a>> {
        let file = dl::loaded_at(module.start)?;
        // SAFETY: the file was just found to be loaded.
        Some(Loaded { module, page: unsafe { first_page(&file) } })
    }

    fn symbol_at(&self, p: Avma) -> Option<Symbol> {
        let tables = self.tables()?;
        let count = self.symbol_count(&tables)?;
        let symbols = self.bytes(tables.symbols, count.checked_mul(SYMBOL_SIZE)?)?;
        let candidates = symbols.chunks_exact(SYMBOL_SIZE).filter_map(|bytes| {
            let base = Avma((u64_at(bytes, 8)? as usize).wrapping_add(self.module.bias));
            let size = u64_at(bytes, 16)? as usize;
            let is_object_or_function = matches!(bytes.get(4)? & 15, 1 | 2 | 10);
            if !p.is_in(base, size) || !is_object_or_function || u16_at(bytes, 6)? == 0 {
                return None;
            }
            let name = tables.string(u32_at(bytes, 0)?)?;
            Some((Symbol { base, size, name }, self.read::<u8>(name)? == b'_'))
        });
        candidates.min_by_key(|(symbol, is_private)| (symbol.size, *is_private)).map(|(symbol, _)| symbol)
    }

    /// Bytes in a readable segment.
    fn bytes(&self, at: Avma, len: usize) -> Option<&[u8]> {
        const PF_R: u32 = 4;
        let svma = self.module.svma(at).0;
        let inside = loaded::segments(self.page).any(|s| {
            s.kind == loaded::PT_LOAD
                && s.flags & PF_R != 0
                && svma
                    .checked_sub(s.svma)
                    .and_then(|o| o.checked_add(len as u64))
                    .is_some_and(|end| end <= s.file_size)
        });
        // SAFETY: the bytes lie in a readable segment of a loaded file.
        inside.then(|| unsafe { core::slice::from_raw_parts(at.pointer::<u8>(), len) })
    }

    /// A value in a readable segment.
    fn read<T: Copy>(&self, at: Avma) -> Option<T> {
        let bytes = self.bytes(at, size_of::<T>())?;
        // SAFETY: there are as many bytes as the value has; only integers are read.
        Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }

    fn tables(&self) -> Option<Tables> {
        let dynamic = loaded::segments(self.page).find(|s| s.kind == loaded::PT_DYNAMIC)?;
        let mut at = self.module.avma(super::Svma(dynamic.svma));
        let mut tables = Tables {
            symbols: Avma::NULL,
            strings: Avma::NULL,
            strings_end: Avma::NULL,
            hash: Avma::NULL,
            gnu_hash: Avma::NULL,
        };
        let mut strings_size = 0;
        loop {
            let (tag, value) = (self.read::<usize>(at)?, self.read::<usize>(Avma(at.0 + 8))?);
            match tag {
                0 => break,
                DT_HASH => tables.hash = self.place(value),
                DT_GNU_HASH => tables.gnu_hash = self.place(value),
                DT_SYMTAB => tables.symbols = self.place(value),
                DT_STRTAB => tables.strings = self.place(value),
                DT_STRSZ => strings_size = value,
                _ => {}
            }
            at = Avma(at.0 + 16);
        }
        tables.strings_end = tables.strings.checked_add(strings_size.checked_sub(1)?)?;
        let last = self.read::<u8>(tables.strings_end)?;
        (last == 0 && self.read::<u8>(tables.strings).is_some()).then_some(tables)
    }

    /// The dynamic linker relocates these addresses in most files, and not in read-only ones.
    fn place(&self, value: usize) -> Avma {
        if value < self.module.start.0 { Avma(value.wrapping_add(self.module.bias)) } else { Avma(value) }
    }

    /// Neither table states the number of symbols, but each hash table does in its way.
    fn symbol_count(&self, tables: &Tables) -> Option<usize> {
        if !tables.hash.is_null() {
            return Some(self.read::<u32>(Avma(tables.hash.0 + 4))? as usize);
        }
        let word = |index: usize| {
            let at = tables.gnu_hash.checked_add(index.checked_mul(4)?)?;
            Some(self.read::<u32>(at)? as usize)
        };
        let (buckets, first, filter) = (word(0)?, word(1)?, word(2)?);
        let first_bucket = 4 + 2 * filter;
        let mut last = 0;
        let table = self.bytes(tables.gnu_hash.checked_add(4 * first_bucket)?, buckets.checked_mul(4)?)?;
        for bucket in table.chunks_exact(4) {
            last = last.max(u32_at(bucket, 0)? as usize);
        }
        if last < first {
            return Some(first);
        }
        while word(first_bucket + buckets + last - first)? & 1 == 0 {
            last += 1;
        }
        Some(last + 1)
    }
}
