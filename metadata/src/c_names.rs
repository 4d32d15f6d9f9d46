//! The names of C's base types: those of `UNIQTYPE_NAME`, and all that C itself lets one write.

/// `DW_ATE_boolean`.
pub const ATE_BOOLEAN: u8 = 2;
/// `DW_ATE_float`.
pub const ATE_FLOAT: u8 = 4;
/// `DW_ATE_signed`.
pub const ATE_SIGNED: u8 = 5;
/// `DW_ATE_signed_char`.
pub const ATE_SIGNED_CHAR: u8 = 6;
/// `DW_ATE_unsigned`.
pub const ATE_UNSIGNED: u8 = 7;
/// `DW_ATE_unsigned_char`.
pub const ATE_UNSIGNED_CHAR: u8 = 8;

/// What a base type of whole bytes is, apart from its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Base {
    /// `DW_ATE_…`.
    pub encoding: u8,
    /// Size in bytes.
    pub size: u32,
}

/// Each base type that C has without a header, under its own name.
pub const BASES: [(&str, Base); 14] = [
    ("boolean$8", Base { encoding: ATE_BOOLEAN, size: 1 }),
    ("signed_char$8", Base { encoding: ATE_SIGNED_CHAR, size: 1 }),
    ("unsigned_char$8", Base { encoding: ATE_UNSIGNED_CHAR, size: 1 }),
    ("int$16", Base { encoding: ATE_SIGNED, size: 2 }),
    ("uint$16", Base { encoding: ATE_UNSIGNED, size: 2 }),
    ("int$32", Base { encoding: ATE_SIGNED, size: 4 }),
    ("uint$32", Base { encoding: ATE_UNSIGNED, size: 4 }),
    ("int$64", Base { encoding: ATE_SIGNED, size: 8 }),
    ("uint$64", Base { encoding: ATE_UNSIGNED, size: 8 }),
    ("int$128", Base { encoding: ATE_SIGNED, size: 16 }),
    ("uint$128", Base { encoding: ATE_UNSIGNED, size: 16 }),
    ("float$32", Base { encoding: ATE_FLOAT, size: 4 }),
    ("float$64", Base { encoding: ATE_FLOAT, size: 8 }),
    ("float$128", Base { encoding: ATE_FLOAT, size: 16 }),
];

impl Base {
    /// The base type with a name of its own.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Base> {
        BASES.iter().find(|(own, _)| own.as_bytes() == name).map(|&(_, base)| base)
    }

    /// The base type that C's words for it mean, in any order, with `separator` between them.
    #[must_use]
    pub fn spelled(name: &[u8], separator: u8) -> Option<Base> {
        Specifiers::read(name.split(|&byte| byte == separator))?.meaning()
    }

    /// Its name, if C has it without a header.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        BASES.iter().find(|&&(_, base)| base == self).map(|&(name, _)| name)
    }

    /// The type of the same size and the other signedness.
    #[must_use]
    pub fn complement(self) -> Option<Base> {
        Some(Base { encoding: flipped(self.encoding)?, ..self })
    }
}

/// The encoding of the other signedness.
#[must_use]
pub const fn flipped(encoding: u8) -> Option<u8> {
    Some(match encoding {
        ATE_SIGNED => ATE_UNSIGNED,
        ATE_UNSIGNED => ATE_SIGNED,
        ATE_SIGNED_CHAR => ATE_UNSIGNED_CHAR,
        ATE_UNSIGNED_CHAR => ATE_SIGNED_CHAR,
        _ => return None,
    })
}

/// A name that stands for a type made from another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Derived<'a> {
    /// `__PTR_`: a pointer to the type of this name.
    Pointer(&'a [u8]),
    /// `__ARR…_`: an array of this length, or without a bound, of the type of this name.
    Array(Option<u32>, &'a [u8]),
}

impl<'a> Derived<'a> {
    /// Takes a name apart; `None` for one that is neither a pointer's nor an array's.
    #[must_use]
    pub fn of_name(name: &'a [u8]) -> Option<Derived<'a>> {
        if let Some(pointee) = name.strip_prefix(b"__PTR_") {
            return Some(Derived::Pointer(pointee));
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
        Some(Derived::Array(length, element))
    }

    /// The name of the type that it is made from.
    #[must_use]
    pub fn of(self) -> &'a [u8] {
        match self {
            Derived::Pointer(of) | Derived::Array(_, of) => of,
        }
    }
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

    /// The type, if C allows the combination.
    fn meaning(&self) -> Option<Base> {
        let &Specifiers { base, short, long, signed, unsigned } = self;
        let integer = if unsigned > 0 { ATE_UNSIGNED } else { ATE_SIGNED };
        let (encoding, size) = match (base, short, long, signed, unsigned) {
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
        };
        Some(Base { encoding, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean_in_c() {
        let check = |words: &str, expected: Option<&str>| {
            let found = Base::spelled(words.as_bytes(), b' ').map(|base| base.name().unwrap());
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
        for (name, base) in BASES {
            assert_eq!((Base::named(name.as_bytes()), base.name()), (Some(base), Some(name)));
            assert_eq!(base.complement().and_then(Base::complement), base.complement().map(|_| base));
        }
        assert_eq!(Base::named(b"int$3"), None);
    }
    #[test]
    fn names_of_pointers_and_arrays_are_taken_apart() {
        let check = |name: &str, expected: Option<Derived<'_>>| {
            assert_eq!(Derived::of_name(name.as_bytes()), expected, "{name:?}");
        };
        check("__PTR___PTR_x", Some(Derived::Pointer(b"__PTR_x")));
        check("__ARR_x_y", Some(Derived::Array(None, b"x_y")));
        check("__ARR0_x", Some(Derived::Array(None, b"x")));
        check("__ARRZ_x", Some(Derived::Array(Some(0), b"x")));
        check("__ARR12___ARR3_x", Some(Derived::Array(Some(12), b"__ARR3_x")));
        for name in ["x", "__ARR", "__ARR4", "__ARR04_x", "__ARR-1_x", "__ARRx_x"] {
            check(name, None);
        }
    }
}
