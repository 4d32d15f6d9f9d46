//! Symbols of types in any bytes: a preprocessed text, an object's table of symbols.

use std::collections::BTreeSet;

use allocs_metadata::link_time::SYMBOL_PREFIX;

use crate::image::bitcode;

/// Longer names than this are none.
const LONGEST: usize = 4096;

/// Adds what reads as a type's symbol. That there is one too many costs nothing, since only what the link editor looks for is linked.
pub(super) fn add(bytes: &[u8], symbols: &mut BTreeSet<String>) {
    // The names in bitcode stand one behind the other with nothing between them, so that each beginning may be one.
    let ends_are_known = !bitcode::is_bitcode(bytes);
    for start in memchr::memmem::find_iter(bytes, SYMBOL_PREFIX) {
        let is_of_name = |&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
        let len = bytes[start..].iter().take(LONGEST).take_while(|&byte| is_of_name(byte)).count();
        let Ok(symbol) = str::from_utf8(&bytes[start..start + len]) else { continue };
        let shortest = if ends_are_known { len } else { SYMBOL_PREFIX.len() + 1 };
        for end in shortest.max(SYMBOL_PREFIX.len() + 1)..=len {
            symbols.insert(symbol[..end].to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &[&str]) {
        let mut symbols = BTreeSet::new();
        add(bytes, &mut symbols);
        assert!(symbols.iter().eq(expected), "{symbols:?}");
    }

    #[test]
    fn names_end_where_identifiers_end() {
        check(b"x = &__uniqtype__int$$32, __uniqtype__;", &["__uniqtype__int$$32"]);
        check(b"\0my__uniqtype__a\0__uniqtype__a\0__uniqtype_", &["__uniqtype__a"]);
        check(
            b"BC\xc0\xde__uniqtype__abmain",
            &["a", "ab", "abm", "abma", "abmai", "abmain"]
                .map(|n| format!("__uniqtype__{n}"))
                .each_ref()
                .map(|s| s.as_str()),
        );
    }
}
