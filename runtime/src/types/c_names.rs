//! The names of C's base types: those of `UNIQTYPE_NAME`, and all that C itself lets one write.

use super::TypeRef;
use super::make::{
    self, ATE_BOOLEAN, ATE_FLOAT, ATE_SIGNED, ATE_SIGNED_CHAR, ATE_UNSIGNED, ATE_UNSIGNED_CHAR,
};

/// Name, encoding and size of each base type that C has without a header.
const BASES: [(&[u8], u8, u32); 14] = [
    (b"boolean$8", ATE_BOOLEAN, 1),
    (b"signed_char$8", ATE_SIGNED_CHAR, 1),
    (b"unsigned_char$8", ATE_UNSIGNED_CHAR, 1),
    (b"int$16", ATE_SIGNED, 2),
    (b"uint$16", ATE_UNSIGNED, 2),
    (b"int$32", ATE_SIGNED, 4),
    (b"uint$32", ATE_UNSIGNED, 4),
    (b"int$64", ATE_SIGNED, 8),
    (b"uint$64", ATE_UNSIGNED, 8),
    (b"int$128", ATE_SIGNED, 16),
    (b"uint$128", ATE_UNSIGNED, 16),
    (b"float$32", ATE_FLOAT, 4),
    (b"float$64", ATE_FLOAT, 8),
    (b"float$128", ATE_FLOAT, 16),
];

/// The type of a name, whether or not a file uses it.
#[must_use]
pub fn named(name: &[u8]) -> Option<TypeRef> {
    if name == b"void" {
        return make::void();
    }
    let &(_, encoding, size) = BASES.iter().find(|(base, ..)| *base == name)?;
    make::base(encoding, size)
}

/// The type that C's words for it mean, in any order, with `separator` between them.
#[must_use]
pub fn spelled(name: &[u8], separator: u8) -> Option<TypeRef> {
    let (encoding, size) = Specifiers::read(name.split(|&byte| byte == separator))?.meaning()?;
    make::base(encoding, size)
}

/// How often each word occurs, and the one that is no modifier.
#[derive(Default)]
struct Specifiers<'a> {
    base: &'a [u8],
    short: u8,
    long: u8,
    signed: u8,
    unsigned: u8,
}

impl<'a> Specifiers<'a> {
    fn read(words: impl Iterator<Item = &'a [u8]>) -> Option<Specifiers<'a>> {
        let mut read = Specifiers::default();
        for word in words {
            let count = match word {
                b"short" => &mut read.short,
                b"long" => &mut read.long,
                b"signed" => &mut read.signed,
                b"unsigned" => &mut read.unsigned,
                base if read.base.is_empty() && !base.is_empty() => {
                    read.base = base;
                    continue;
                }
                _ => return None,
            };
            *count = count.checked_add(1)?;
        }
        Some(read)
    }

    /// Encoding and size, if C allows the combination.
    fn meaning(&self) -> Option<(u8, u32)> {
        let &Specifiers { base, short, long, signed, unsigned } = self;
        let integer = if unsigned > 0 { ATE_UNSIGNED } else { ATE_SIGNED };
        Some(match (base, short, long, signed, unsigned) {
            (b"_Bool" | b"bool", 0, 0, 0, 0) => (ATE_BOOLEAN, 1),
            (b"char", 0, 0, 0 | 1, 0) => (ATE_SIGNED_CHAR, 1),
            (b"char", 0, 0, 0, 1) => (ATE_UNSIGNED_CHAR, 1),
            (b"float", 0, 0, 0, 0) => (ATE_FLOAT, 4),
            (b"double", 0, 0, 0, 0) => (ATE_FLOAT, 8),
            (b"double", 0, 1, 0, 0) => (ATE_FLOAT, 16),
            (b"__int128", 0, 0, 0, 0 | 1) | (b"__int128", 0, 0, 1, 0) => (integer, 16),
            (b"int" | b"", _, _, 0, 0 | 1) | (b"int" | b"", _, _, 1, 0) => match (short, long) {
                (0, 0) => (integer, 4),
                (1, 0) => (integer, 2),
                (0, 1 | 2) => (integer, 8),
                _ => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean_in_c() {
        let check = |words: &str, expected: Option<&str>| {
            let found = spelled(words.as_bytes(), b' ').map(|ty| ty.name().to_str().unwrap());
            assert_eq!(found, expected, "{words:?}");
        };
        for words in ["int", "signed", "int signed", "signed int"] {
            check(words, Some("int$32"));
        }
        for words in ["long", "long int", "long long", "long long int", "signed long", "int long signed long"]
        {
            check(words, Some("int$64"));
        }
        check("unsigned", Some("uint$32"));
        check("short unsigned int", Some("uint$16"));
        check("unsigned short", Some("uint$16"));
        check("long unsigned int", Some("uint$64"));
        check("char", Some("signed_char$8"));
        check("signed char", Some("signed_char$8"));
        check("unsigned char", Some("unsigned_char$8"));
        check("_Bool", Some("boolean$8"));
        check("float", Some("float$32"));
        check("double", Some("float$64"));
        check("long double", Some("float$128"));
        check("__int128", Some("int$128"));
        check("__int128 unsigned", Some("uint$128"));
        for words in [
            "",
            " ",
            "int ",
            "int int",
            "short long",
            "short short",
            "long long long",
            "signed unsigned",
            "long float",
            "short double",
            "unsigned double",
            "long char",
            "point",
            "unsigned point",
            "int$32",
        ] {
            check(words, None);
        }
    }

    #[test]
    fn each_name_is_that_of_its_type() {
        for (name, ..) in BASES {
            assert_eq!(named(name).unwrap().name().to_bytes(), name);
        }
        assert_eq!(named(b"void").unwrap().name(), c"void");
        assert_eq!(named(b"int$3"), None);
    }
}
