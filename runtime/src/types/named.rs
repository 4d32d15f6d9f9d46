//! Types by name.
//!
//! A name may be claimed by several types: two files may each have a `struct point` of their own, and a bit-field of 16 bits
//! is an `int$16` as a `short` is. A base type of C has its name before all others; then comes the file that is asked first,
//! then the others in load order. What no file says is made: arrays of a type and pointers to it, and the base types
//! under the names that C has for them.

use allocs_metadata::{TYPE_INCOMPLETE, TYPE_NAME_IS_TAG, TypeId, TypeRecord};

use super::file::TypedFile;
use super::intern::{self, intern};
use super::scratch::Scratch;
use super::{TypeRef, c_names, make};
use crate::hooks::TYPE_SYMBOL_PREFIX;
use crate::modules::{self, Module};

/// Which file's types have a name before those of the others.
#[derive(Clone, Copy, Debug)]
pub enum First {
    /// That of the first file in load order.
    Loaded,
    /// This one's.
    File(&'static Module),
    /// That of the first file in load order behind this one.
    Behind(&'static Module),
}

/// Most pointers and arrays around a type whose name is taken apart.
const MAX_NESTING: u32 = 31;

/// The type of a symbol: `__uniqtype__` and its name, in which `$$` stands for `$` and `$` with two hexadecimal digits for
/// any other byte that C has not in names.
#[must_use]
pub fn by_symbol(symbol: &[u8], first: First) -> Option<TypeRef> {
    let mut rest = symbol.strip_prefix(TYPE_SYMBOL_PREFIX)?;
    let mut name = Scratch::default();
    while let Some((&byte, behind)) = rest.split_first() {
        let (byte, behind) = match (byte, behind) {
            (b'$', [b'$', behind @ ..]) => (b'$', behind),
            (b'$', [high, low, behind @ ..]) => (digit(*high)? << 4 | digit(*low)?, behind),
            (b'$', _) => return None,
            _ => (byte, behind),
        };
        name.push(byte)?;
        rest = behind;
    }
    by_name(name.as_slice(), first)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The type of a name: that of `UNIQTYPE_NAME`, `__ARR_T` for the array without a bound, or what C calls a base type, its
/// words separated by blanks or, since a name in C has none, by `_`.
#[must_use]
pub fn by_name(name: &[u8], first: First) -> Option<TypeRef> {
    nested(name, first, MAX_NESTING)
}

fn nested(name: &[u8], first: First, nesting: u32) -> Option<TypeRef> {
    c_names::named(name)
        .or_else(|| c_names::spelled(name, b' '))
        .or_else(|| of_files(name, first))
        .or_else(|| derived(name, first, nesting.checked_sub(1)?))
        .or_else(|| c_names::spelled(name, b'_'))
        .or_else(|| intern::find(|ty| (ty.name().to_bytes() == name).then_some(ty)))
}

/// A pointer to a type, or an array of it, that need not be in any file.
fn derived(name: &[u8], first: First, nesting: u32) -> Option<TypeRef> {
    if let Some(pointee) = name.strip_prefix(b"__PTR_") {
        return make::pointer(nested(pointee, first, nesting)?);
    }
    let array = name.strip_prefix(b"__ARR")?;
    let end = array.iter().position(|&byte| byte == b'_')?;
    let (length, element) = (array.get(..end)?, array.get(end + 1..)?);
    let length = match length {
        b"" | b"0" => None,
        b"Z" => Some(0),
        [b'1'..=b'9', ..] => Some(core::str::from_utf8(length).ok()?.parse().ok()?),
        _ => return None,
    };
    make::array(nested(element, first, nesting)?, length)
}

/// How well a record fits a name: a tag comes before a name from elsewhere, and a type before its mere declaration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    Tag,
    Other,
    Declaration,
}

impl Rank {
    fn of(record: &TypeRecord) -> Rank {
        if record.flags & TYPE_INCOMPLETE != 0 {
            Rank::Declaration
        } else if record.flags & TYPE_NAME_IS_TAG != 0 {
            Rank::Tag
        } else {
            Rank::Other
        }
    }
}

/// The type of a file with this name that fits best.
pub(super) fn best(file: &TypedFile, name: &[u8]) -> Option<(Rank, TypeId)> {
    let records = file.types().iter().enumerate().filter(|(_, record)| file.string(record.name) == name);
    records.map(|(index, record)| (Rank::of(record), TypeId(index as u32))).min_by_key(|&(rank, _)| rank)
}

fn of_files(name: &[u8], first: First) -> Option<TypeRef> {
    let preferred = match first {
        First::Loaded => None,
        First::File(module) => module.metadata.and_then(|file| intern(file, best(file, name)?.1)),
        First::Behind(module) => in_load_order(name, Some(module)),
    };
    preferred.or_else(|| in_load_order(name, None))
}

/// The type of a name in the loaded files behind one, or in all. A file that defines it comes before one that declares it.
fn in_load_order(name: &[u8], behind: Option<&Module>) -> Option<TypeRef> {
    let mut counts = behind.is_none();
    let mut declared = None;
    let defined = modules::each(|module| {
        if !counts {
            counts = behind.is_some_and(|behind| core::ptr::eq(behind, module));
            return None;
        }
        let file = module.metadata?;
        match best(file, name)? {
            (Rank::Declaration, id) => {
                declared = declared.or(Some((file, id)));
                None
            }
            (_, id) => intern(file, id),
        }
    });
    defined.or_else(|| declared.and_then(|(file, id)| intern(file, id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::dl;

    fn check(symbol: &str, expected: Option<&str>) {
        dl::init();
        let found = by_symbol(symbol.as_bytes(), First::Loaded).map(|ty| ty.name().to_str().unwrap());
        assert_eq!(found, expected, "{symbol:?}");
    }

    #[test]
    fn a_symbol_is_a_name_without_odd_bytes() {
        check("__uniqtype__int$$32", Some("int$32"));
        check("__uniqtype__int", Some("int$32"));
        check("__uniqtype__short$20int", Some("int$16"));
        check("__uniqtype__long$20unsigned$20int", Some("uint$64"));
        check("__uniqtype__long_unsigned_int", Some("uint$64"));
        check("__uniqtype__$5fBool", Some("boolean$8"));
        check("__uniqtype__void", Some("void"));
        for wrong in
            ["", "__uniqtype__", "int$$32", "uniqtype__int", "__uniqtype__int$32", "__uniqtype__int$"]
        {
            check(wrong, None);
        }
        for wrong in ["__uniqtype__int$$", "__uniqtype__int$2", "__uniqtype__$zz", "__uniqtype__no_such"] {
            check(wrong, None);
        }
    }

    #[test]
    fn arrays_and_pointers_are_made() {
        check("__uniqtype____PTR_int$$32", Some("__PTR_int$32"));
        check("__uniqtype____PTR___PTR_void", Some("__PTR___PTR_void"));
        check("__uniqtype____PTR_int", Some("__PTR_int$32"));
        check("__uniqtype____ARR_int$$64", Some("__ARR0_int$64"));
        check("__uniqtype____ARR0_int$$64", Some("__ARR0_int$64"));
        check("__uniqtype____ARRZ_int$$64", Some("__ARRZ_int$64"));
        check("__uniqtype____ARR12___ARR3_long$20int", Some("__ARR12___ARR3_int$64"));
        for wrong in
            ["__PTR_", "__PTR_no_such", "__ARR", "__ARR4", "__ARR04_int", "__ARR-1_int", "__ARRx_int"]
        {
            check(&std::format!("__uniqtype__{wrong}"), None);
        }
        check(
            &std::format!("__uniqtype__{}int", "__PTR_".repeat(31)),
            Some(&std::format!("{}int$32", "__PTR_".repeat(31))),
        );
        check(&std::format!("__uniqtype__{}int", "__PTR_".repeat(5000)), None);
    }

    #[test]
    fn the_arrays_made_are_those_of_queries() {
        dl::init();
        let int = c_names::named(b"int$32").unwrap();
        assert_eq!(by_name(b"__ARR_int", First::Loaded), make::array(int, None));
        assert_eq!(by_name(b"__PTR_int", First::Loaded), make::pointer(int));
    }
}
