//! Types that a file names at link time although nothing says what they are.

use allocs_metadata::c_names::Derived;
use allocs_metadata::link_time::{NOTE_SECTION, notes};
use allocs_metadata::{Metadata, SECTION_NAME};
use object::read::elf::ElfFile64;
use object::{Object as _, ObjectSection as _};

use super::libraries;
use crate::driver::hooks::LinkOutput;
use crate::driver::named_types::{canonical_of_symbol, is_of_c};
use crate::emit::Aligned;

/// The symbols that are named: neither the file's metadata nor that of a library that was linked describes their types.
pub(super) fn symbols(output: &LinkOutput<'_>, file: &ElfFile64<'_>, metadata: &[u8]) -> Vec<String> {
    let section =
        file.section_by_name(NOTE_SECTION).and_then(|section| section.data().ok()).unwrap_or_default();
    let mut symbols = Vec::new();
    for note in notes(section) {
        let Some(name) = str::from_utf8(note.symbol).ok().and_then(canonical_of_symbol) else { continue };
        if !is_known(&name, &|name| describes(metadata, name) || in_library(output, name)) {
            symbols.push(String::from_utf8_lossy(note.symbol).into_owned());
        }
    }
    symbols
}

/// Whether the type is C's own, or described, or made from such a one.
fn is_known(name: &str, is_described: &impl Fn(&str) -> bool) -> bool {
    is_of_c(name)
        || is_described(name)
        || Derived::of_name(name.as_bytes())
            .and_then(|derived| str::from_utf8(derived.of()).ok())
            .is_some_and(|of| is_known(of, is_described))
}

fn describes(metadata: &[u8], name: &str) -> bool {
    let metadata = Aligned::copy(metadata);
    Metadata::parse(metadata.bytes())
        .is_ok_and(|metadata| metadata.types().iter().any(|ty| metadata.string(ty.name) == name.as_bytes()))
}

fn in_library(output: &LinkOutput<'_>, name: &str) -> bool {
    libraries::libraries(output).iter().any(|library| {
        let Ok(bytes) = std::fs::read(library) else { return false };
        let Ok(file) = ElfFile64::<object::Endianness>::parse(&*bytes) else { return false };
        let section = file.section_by_name(SECTION_NAME).and_then(|section| section.data().ok());
        section.is_some_and(|metadata| describes(metadata, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_from_a_described_type_is_known() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_known(name, &|name| name == "point"), expected, "{name}")
        };
        for name in ["void", "int$32", "point", "__PTR_point", "__ARR4___PTR_point", "__ARR0___PTR_void"] {
            check(name, true);
        }
        for name in ["pint", "__PTR_pint", "__PTR_"] {
            check(name, false);
        }
    }
}
