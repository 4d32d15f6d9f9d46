//! Finds a symbol by name in the loaded files, as `dlsym` does.
//!
//! `dlsym` itself is not in libc.so.6 before glibc 2.34, and a call of it that is linked with a newer glibc needs that one.
//! This search needs no glibc in particular, calls no `malloc`, and is done with fewer instructions.
//!
//! # Safety
//! The tables are those of files that are loaded: the dynamic linker has followed these very tables to link the program, and
//! started the program because they fit. A file behind us in load order is not unloaded before us; of one that `dlopen` brought
//! the tables are only read while the list of files is locked.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_void};

use super::links::{self, Link};
use super::loaded::{self, File, PT_DYNAMIC};
use crate::avma::Avma;

/// The definition that the program's references are bound to, or NULL if there is none: what `RTLD_DEFAULT` gives.
#[must_use]
pub fn in_use(name: &CStr) -> *mut c_void {
    let name = Name::of(name);
    address(loaded::each(|file| Tables::of(file)?.find(&name)))
}

/// An object that a file defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Object {
    /// Where it is.
    pub place: Avma,
    /// Its size in bytes.
    pub size: usize,
}

/// The object that the program's references of this name are bound to.
#[must_use]
pub fn object_in_use(name: &CStr) -> Option<Object> {
    let name = Name::of(name);
    let found = loaded::each(|file| Tables::of(file)?.find(&name))?;
    (!found.is_indirect).then_some(Object { place: found.address, size: found.size })
}

/// For each name the first definition in a file behind ours in load order, or NULL if there is none: what `RTLD_NEXT` gives.
/// A library that `dlopen` brought stands behind all others; there it is the first definition in any other file.
#[must_use]
pub fn next<const N: usize>(names: [&CStr; N]) -> [*mut c_void; N] {
    let names = names.map(Name::of);
    let mut found = [const { None }; N];
    let here = Avma(next::<N> as fn([&CStr; N]) -> [*mut c_void; N] as usize);
    let mut search = |file: &File| {
        let tables = Tables::of(file)?;
        for (found, name) in found.iter_mut().zip(&names) {
            *found = found.take().or_else(|| tables.find(name));
        }
        found.iter().all(Option::is_some).then_some(())
    };
    let mut is_behind = false;
    let behind = loaded::each(|file| {
        if is_behind {
            return search(file);
        }
        is_behind = file.holds(here);
        None
    });
    if behind.is_none() {
        let _ = loaded::each(|file| if file.holds(here) { None } else { search(file) });
    }
    found.map(address)
}

/// The same for one name that a file has which was there from the start, without a call of `dl_iterate_phdr`: that may be the
/// program's own and need what is asked for.
///
/// Such files stand first in the dynamic linker's list and stay there, so that it is read without a lock.
#[must_use]
pub fn next_at_start(name: &CStr) -> *mut c_void {
    unsafe extern "C" {
        /// Our own dynamic section.
        static _DYNAMIC: [usize; 2];
    }
    let here = Avma((&raw const _DYNAMIC) as usize);
    let name = Name::of(name);
    let mut is_behind = false;
    let behind = |link: &Link| {
        if is_behind {
            return Tables::new(link.bias, link.dynamic)?.find(&name);
        }
        is_behind = link.dynamic == here;
        None
    };
    // SAFETY: what is asked for is in a file that stays, or, where libdl of a glibc before 2.34 came with a plug-in, behind such
    // ones and in front of that plug-in's, which runs. Only there could another thread be closing a file on the way.
    address(unsafe { links::each(behind) })
}

/// The address of a definition, without the lock of the list of files, which a resolver may want.
fn address(definition: Option<Definition>) -> *mut c_void {
    match definition {
        None => core::ptr::null_mut(),
        Some(Definition { address, is_indirect: false, .. }) => address.pointer(),
        // SAFETY: the value of such a symbol is a function that returns the address; on x86-64 it takes no argument.
        Some(Definition { address, is_indirect: true, .. }) => unsafe {
            core::mem::transmute::<*mut c_void, extern "C" fn() -> *mut c_void>(address.pointer())()
        },
    }
}

struct Definition {
    address: Avma,
    /// It is a function that finds the function.
    is_indirect: bool,
    /// Size in bytes.
    size: usize,
}

struct Name<'a> {
    text: &'a CStr,
    gnu_hash: u32,
}

impl Name<'_> {
    fn of(text: &CStr) -> Name<'_> {
        let add = |hash: u32, byte: &u8| hash.wrapping_mul(33).wrapping_add(u32::from(*byte));
        Name { text, gnu_hash: text.to_bytes().iter().fold(5381, add) }
    }

    /// The hash of the older kind of table.
    fn elf_hash(&self) -> u32 {
        self.text.to_bytes().iter().fold(0, |hash: u32, byte| {
            let hash = (hash << 4).wrapping_add(u32::from(*byte));
            (hash ^ ((hash >> 24) & 0xf0)) & 0x0fff_ffff
        })
    }
}

/// `Elf64_Sym`.
#[repr(C)]
pub(super) struct Symbol {
    pub(super) name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

impl Symbol {
    fn kind(&self) -> u8 {
        self.info & 15
    }
}

const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
const STT_TLS: u8 = 6;
const STT_GNU_IFUNC: u8 = 10;

/// Marks a version that is not the default one.
const VERSION_IS_HIDDEN: u16 = 0x8000;

/// What a file's dynamic section says of its symbols.
struct Tables {
    /// What is added to an address in the file.
    bias: usize,
    symbols: *const Symbol,
    names: *const c_char,
    /// A version for each symbol, or NULL.
    versions: *const u16,
    gnu_hash: *const u32,
    hash: *const u32,
}

impl Tables {
    fn of(file: &File) -> Option<Tables> {
        let dynamic = file.headers().iter().find(|header| header.kind == PT_DYNAMIC)?;
        Tables::new(file.bias, file.avma(dynamic.svma))
    }

    /// Those of the file with this dynamic section.
    fn new(bias: usize, dynamic: Avma) -> Option<Tables> {
        const DT_HASH: usize = 4;
        const DT_STRTAB: usize = 5;
        const DT_SYMTAB: usize = 6;
        const DT_GNU_HASH: usize = 0x6fff_fef5;
        const DT_VERSYM: usize = 0x6fff_fff0;
        let mut tables = Tables {
            bias,
            symbols: core::ptr::null(),
            names: core::ptr::null(),
            versions: core::ptr::null(),
            gnu_hash: core::ptr::null(),
            hash: core::ptr::null(),
        };
        // SAFETY: the file is loaded.
        for [tag, value] in unsafe { links::entries(dynamic) } {
            match tag {
                DT_HASH => tables.hash = place(bias, value),
                DT_STRTAB => tables.names = place(bias, value),
                DT_SYMTAB => tables.symbols = place(bias, value),
                DT_GNU_HASH => tables.gnu_hash = place(bias, value),
                DT_VERSYM => tables.versions = place(bias, value),
                _ => {}
            }
        }
        (!tables.symbols.is_null() && !tables.names.is_null()).then_some(tables)
    }

    fn find(&self, name: &Name) -> Option<Definition> {
        if !self.gnu_hash.is_null() { self.find_by_gnu_hash(name) } else { self.find_by_hash(name) }
    }

    /// The table: number of buckets, number of the first symbol in it, words of the filter, its shift; the filter; the buckets;
    /// a hash for each symbol, whose lowest bit marks the end of a bucket.
    fn find_by_gnu_hash(&self, name: &Name) -> Option<Definition> {
        let (hash, table) = (name.gnu_hash, self.gnu_hash);
        // SAFETY: the layout is the one above.
        unsafe {
            let (buckets, first, words, shift) = (*table, *table.add(1), *table.add(2), *table.add(3));
            if buckets == 0 || words == 0 {
                return None;
            }
            let filter =
                table.add(4).cast::<u64>().add(((hash / 64) & words.wrapping_sub(1)) as usize).read();
            if (filter >> (hash % 64)) & (filter >> (hash.wrapping_shr(shift) % 64)) & 1 == 0 {
                return None;
            }
            let bucket = table.add(4 + 2 * words as usize);
            let hashes = bucket.add(buckets as usize);
            let mut index = *bucket.add((hash % buckets) as usize);
            while index >= first {
                let candidate = *hashes.add((index - first) as usize);
                if (candidate ^ hash) >> 1 == 0
                    && let Some(definition) = self.definition(index, name)
                {
                    return Some(definition);
                }
                if candidate & 1 != 0 {
                    break;
                }
                index += 1;
            }
        }
        None
    }

    /// The table: number of buckets, number of symbols; the buckets; the next symbol in the bucket for each symbol.
    fn find_by_hash(&self, name: &Name) -> Option<Definition> {
        if self.hash.is_null() {
            return None;
        }
        let table = self.hash;
        // SAFETY: the layout is the one above.
        unsafe {
            let buckets = *table;
            if buckets == 0 {
                return None;
            }
            let next = table.add(2 + buckets as usize);
            let mut index = *table.add(2 + (name.elf_hash() % buckets) as usize);
            while index != 0 {
                if let Some(definition) = self.definition(index, name) {
                    return Some(definition);
                }
                index = *next.add(index as usize);
            }
        }
        None
    }

    /// The symbol of that index if it is a definition of that name, in its default version.
    fn definition(&self, index: u32, name: &Name) -> Option<Definition> {
        const UNDEFINED: u16 = 0;
        /// `SHN_ABS`: the value is no address in the file.
        const ABSOLUTE: u16 = 0xfff1;
        // SAFETY: the hash table has indices of symbols, each has a name, and a version where there are any.
        let (symbol, text, version) = unsafe {
            let symbol = &*self.symbols.add(index as usize);
            let version = if self.versions.is_null() { 1 } else { *self.versions.add(index as usize) };
            (symbol, CStr::from_ptr(self.names.add(symbol.name as usize)), version)
        };
        let is_absolute = symbol.section == ABSOLUTE;
        let fits = symbol.section != UNDEFINED
            && (symbol.value != 0 || is_absolute)
            && version & VERSION_IS_HIDDEN == 0
            && !matches!(symbol.kind(), STT_SECTION | STT_FILE | STT_TLS)
            && text == name.text;
        fits.then(|| Definition {
            address: if is_absolute {
                Avma(symbol.value as usize)
            } else {
                Avma(self.bias.wrapping_add(symbol.value as usize))
            },
            is_indirect: symbol.kind() == STT_GNU_IFUNC,
            size: symbol.size as usize,
        })
    }
}

/// The dynamic linker relocates these addresses in most files, and not in read-only ones.
pub(super) fn place<T>(bias: usize, value: usize) -> *const T {
    if value < bias { Avma(bias.wrapping_add(value)).pointer() } else { Avma(value).pointer() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::c_int;

    const RTLD_DEFAULT: *mut c_void = core::ptr::null_mut();
    const RTLD_NEXT: *mut c_void = usize::MAX as *mut c_void;

    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    /// A definition of ours before that of the C library.
    #[unsafe(no_mangle)]
    extern "C" fn toupper(c: c_int) -> c_int {
        c
    }

    #[test]
    fn what_dlsym_finds_is_found() {
        // Among them: an old version beside the default one, an indirect function, a variable, and nothing.
        let names = [
            c"malloc",
            c"canonicalize_file_name",
            c"realpath",
            c"memcpy",
            c"strchr",
            c"environ",
            c"__libc_single_threaded",
            c"_dl_find_object",
            c"pthread_cond_wait",
            c"posix_spawn",
            c"toupper",
            c"",
            c"no_such",
        ];
        for name in names {
            // SAFETY: the name is NUL-terminated.
            let (any, next_one) =
                unsafe { (dlsym(RTLD_DEFAULT, name.as_ptr()), dlsym(RTLD_NEXT, name.as_ptr())) };
            assert_eq!((in_use(name), next([name])), (any, [next_one]), "{name:?}");
        }
        for name in [c"malloc", c"memcpy", c"dlsym", c"toupper", c"no_such"] {
            assert_eq!([next_at_start(name)], next([name]), "{name:?}");
        }
        let [none, indirect, behind_ours] = next([c"no_such", c"memcpy", c"toupper"]);
        assert!(none.is_null() && !indirect.is_null() && !behind_ours.is_null());
        assert_ne!(behind_ours, toupper as *mut c_void);
    }

    /// What is found for `f` in tables with two symbols, of which the second is `f`.
    fn found(
        gnu_hash: Option<&[u32]>,
        hash: Option<&[u32]>,
        section: u16,
        value: u64,
    ) -> Option<(usize, usize)> {
        let symbol = |name, section, value| Symbol { name, info: 0x12, other: 0, section, value, size: 0 };
        let symbols = [symbol(0, 0, 0), symbol(1, section, value)];
        let names = [0, b'f', 0];
        let pointer = |table: Option<&[u32]>| table.map_or(core::ptr::null(), <[u32]>::as_ptr);
        loaded::each(|file| {
            let tables = Tables {
                bias: file.bias,
                symbols: symbols.as_ptr(),
                names: names.as_ptr().cast(),
                versions: core::ptr::null(),
                gnu_hash: pointer(gnu_hash),
                hash: pointer(hash),
            };
            Some(tables.find(&Name::of(c"f")).map(|found| (found.address.0, file.bias)))
        })
        .flatten()
    }

    #[test]
    fn tables_without_buckets_or_filter_have_nothing() {
        let hash = Name::of(c"f").gnu_hash;
        let find = |gnu_hash: Option<&[u32]>, hash: Option<&[u32]>| {
            found(gnu_hash, hash, 1, 64).map(|(address, bias)| address - bias)
        };
        assert_eq!(find(None, Some(&[1, 2, 1, 0, 0])), Some(64));
        assert_eq!(find(None, Some(&[0, 2, 0, 0])), None);
        let [all, none] = [u32::MAX, 0];
        assert_eq!(find(Some(&[1, 1, 1, 6, all, all, 1, hash | 1]), None), Some(64));
        assert_eq!(find(Some(&[1, 1, 1, 6, none, none, 1, hash | 1]), None), None);
        assert_eq!(find(Some(&[0, 1, 1, 6, all, all, hash | 1]), None), None);
        assert_eq!(find(Some(&[1, 1, 0, 6, 1, hash | 1]), None), None);
        assert_eq!(find(Some(&[1, 1, 1, 77, all, all, 1, hash | 1]), None), Some(64));
        assert_eq!(find(None, None), None);
    }

    #[test]
    fn a_symbol_without_a_value_is_a_definition_only_if_it_is_absolute() {
        let table: Option<&[u32]> = Some(&[1, 2, 1, 0, 0]);
        let [text, absolute, undefined] = [1, 0xfff1, 0];
        assert_eq!(found(None, table, text, 0), None);
        assert_eq!(found(None, table, undefined, 64), None);
        assert_eq!(found(None, table, absolute, 0).map(|(address, _)| address), Some(0));
        assert_eq!(found(None, table, absolute, 64).map(|(address, _)| address), Some(64));
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        let check = |text: &CStr, gnu: u32, elf: u32| {
            let name = Name::of(text);
            assert_eq!((name.gnu_hash, name.elf_hash()), (gnu, elf), "{text:?}");
        };
        check(c"", 0x1505, 0);
        check(c"printf", 0x156b_2bb8, 0x0779_05a6);
        check(c"syscall", 0xbac2_12a0, 0x0b09_985c);
        check(c"flapenguin.me", 0x8ae9_f18e, 0x03987915);
    }
}
