//! Types by name.
//!
//! A name may be claimed by several types: two files may each have a `struct point` of their own, and a bit-field of 16 bits
//! is an `int$16` as a `short` is. A base type of C has its name before all others; then comes the file that is asked first,
//! then the others in load order. What no file says is made: arrays of a type and pointers to it, and the base types
//! under the names that C has for them.

use allocs_metadata::c_names::{Base, Derived};
use allocs_metadata::digest::{self, Digest};
use allocs_metadata::{TYPE_INCOMPLETE, TYPE_NAME_IS_TAG, TypeId, TypeRecord, link_time};

use super::file::TypedFile;
use super::intern::{self, intern};
use super::scratch::Scratch;
use super::{TypeRef, make};
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
    by_name(name_of(symbol)?.as_slice(), first)
}

fn name_of(symbol: &[u8]) -> Option<Scratch<u8>> {
    let mut name = Scratch::default();
    link_time::decoded(symbol)?.try_for_each(|byte| name.push(byte?))?;
    Some(name)
}

/// The type of a name: that of `UNIQTYPE_NAME`, `__ARR_T` for the array without a bound, or what C calls a base type, its
/// words separated by blanks or, since a name in C has none, by `_`.
#[must_use]
pub fn by_name(name: &[u8], first: First) -> Option<TypeRef> {
    nested(name, first, MAX_NESTING)
}

/// What a name means.
enum Meaning<'a> {
    Void,
    Base(Base),
    OfFile(&'static TypedFile, TypeId),
    Derived(Derived<'a>),
}

fn meaning(name: &[u8], first: First) -> Option<Meaning<'_>> {
    let own = || (name == b"void").then_some(Meaning::Void);
    own()
        .or_else(|| Base::named(name).or_else(|| Base::spelled(name, b' ')).map(Meaning::Base))
        .or_else(|| of_files(name, first).map(|(file, id)| Meaning::OfFile(file, id)))
        .or_else(|| Derived::of_name(name).map(Meaning::Derived))
        .or_else(|| Base::spelled(name, b'_').map(Meaning::Base))
}

fn nested(name: &[u8], first: First, nesting: u32) -> Option<TypeRef> {
    match meaning(name, first) {
        Some(Meaning::Void) => make::void(),
        Some(Meaning::Base(base)) => make::base(base.encoding, base.size),
        Some(Meaning::OfFile(file, id)) => intern(file, id),
        // A pointer to a type, or an array of it, need not be in any file.
        Some(Meaning::Derived(derived)) => {
            let of = nested(derived.of(), first, nesting.checked_sub(1)?)?;
            match derived {
                Derived::Pointer(_) => make::pointer(of),
                Derived::Array(length, _) => make::array(of, length),
            }
        }
        None => intern::find(|ty| (ty.name().to_bytes() == name).then_some(ty)),
    }
}

/// The digest of a symbol's type, which need not be made for it.
#[must_use]
pub(super) fn digest_of_symbol(symbol: &[u8], first: First) -> Option<Digest> {
    nested_digest(name_of(symbol)?.as_slice(), first, MAX_NESTING)
}

fn nested_digest(name: &[u8], first: First, nesting: u32) -> Option<Digest> {
    Some(match meaning(name, first)? {
        Meaning::Void => digest::void(),
        Meaning::Base(Base { encoding, size }) => digest::base(encoding, size, size.checked_mul(8)?, 0),
        Meaning::OfFile(file, id) => intern::digest_of(file, id)?,
        Meaning::Derived(derived) => {
            let of = nested_digest(derived.of(), first, nesting.checked_sub(1)?)?;
            match derived {
                Derived::Pointer(_) => digest::pointer(of),
                Derived::Array(length, _) => digest::array(of, length),
            }
        }
    })
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

fn of_files(name: &[u8], first: First) -> Option<(&'static TypedFile, TypeId)> {
    let preferred = match first {
        First::Loaded => None,
        First::File(module) => module.metadata.and_then(|file| Some((file, best(file, name)?.1))),
        First::Behind(module) => in_load_order(name, Some(module)),
    };
    preferred.or_else(|| in_load_order(name, None))
}

/// The type of a name in the loaded files behind one, or in all. A file that defines it comes before one that declares it.
fn in_load_order(name: &[u8], behind: Option<&Module>) -> Option<(&'static TypedFile, TypeId)> {
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
            (_, id) => Some((file, id)),
        }
    });
    defined.or(declared)
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
    fn a_digest_is_known_before_its_type() {
        dl::init();
        for symbol in
            ["void", "int", "long$20double", "__PTR___ARR7_short", "__ARR_char", "__ARRZ___PTR_void"]
        {
            let symbol = std::format!("__uniqtype__{symbol}");
            let digest = digest_of_symbol(symbol.as_bytes(), First::Loaded);
            assert_eq!(digest, by_symbol(symbol.as_bytes(), First::Loaded).map(TypeRef::digest), "{symbol}");
        }
        assert_eq!(digest_of_symbol(b"__uniqtype__no_such", First::Loaded), None);
    }

    #[test]
    fn the_arrays_made_are_those_of_queries() {
        dl::init();
        let int = by_name(b"int$32", First::Loaded).unwrap();
        assert_eq!(by_name(b"__ARR_int", First::Loaded), make::array(int, None));
        assert_eq!(by_name(b"__PTR_int", First::Loaded), make::pointer(int));
    }
}
