//! What is kept in a block, in one form for what people say and for what the tool says.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::typedefs::Typedefs;

/// What is kept in a block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Elements, one or many, behind headers if there are any. The names are those of [`element`].
    Parts(Vec<String>),
    /// One struct whose last member goes on behind it.
    Flexible(String),
    /// One of several.
    OneOf(BTreeSet<Kept>),
}

/// Characters, signed or not.
pub const CHARACTER: &str = "char$8";

/// What a label says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A type. There are several where a typedef name has several meanings.
    Kept(Vec<Kept>),
    /// What it was before.
    Inherit,
    /// The caller of the function around it decides.
    Caller,
    /// Raw memory of several uses.
    Untyped,
    /// No block of the heap.
    None,
}

impl Said {
    /// Reads the `type` of a label; `None` where nobody has filled it in.
    pub fn parse(text: &str, typedefs: &Typedefs) -> Result<Option<Self>> {
        Ok(Some(match text.trim() {
            "" => return Ok(None),
            "inherit" => Self::Inherit,
            "caller" => Self::Caller,
            "untyped" => Self::Untyped,
            "none" => Self::None,
            text => Self::Kept(kept(text, typedefs).with_context(|| format!("the type `{text}`"))?),
        }))
    }
}

/// The meanings of a C spelling with `+`, `|` and `{flex}`.
fn kept(text: &str, typedefs: &Typedefs) -> Result<Vec<Kept>> {
    if text.contains('|') {
        let choices = text.split('|').map(|part| kept(part, typedefs)).collect::<Result<Vec<_>>>()?;
        return Ok(combinations(&choices)
            .into_iter()
            .map(|one| Kept::OneOf(one.into_iter().collect()))
            .collect());
    }
    if let Some(text) = text.trim().strip_suffix("{flex}") {
        return Ok(elements(text, typedefs)?.into_iter().map(Kept::Flexible).collect());
    }
    let parts = text.split('+').map(|part| elements(part, typedefs)).collect::<Result<Vec<_>>>()?;
    Ok(combinations(&parts).into_iter().map(Kept::Parts).collect())
}

/// Every way to take one of each.
fn combinations<T: Clone>(choices: &[Vec<T>]) -> Vec<Vec<T>> {
    choices.iter().fold(vec![Vec::new()], |taken, choice| {
        let with = |one: &T| {
            taken.iter().map(|taken| [taken.clone(), vec![one.clone()]].concat()).collect::<Vec<_>>()
        };
        choice.iter().flat_map(with).collect()
    })
}

/// The element names that a C spelling may mean: `struct foo` is `foo`, `int *` is `__PTR_int$32`.
fn elements(text: &str, typedefs: &Typedefs) -> Result<Vec<String>> {
    let spaced = text.replace('*', " * ").replace('[', " [ ");
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    words.retain(|word| !matches!(*word, "const" | "volatile" | "restrict"));
    // Counts do not matter.
    if let Some(bracket) = words.iter().position(|&word| word == "[") {
        words.truncate(bracket);
    }
    ensure!(!words.is_empty(), "an element has no type");
    spelled(&words, typedefs, 0)
}

fn spelled(words: &[&str], typedefs: &Typedefs, depth: usize) -> Result<Vec<String>> {
    ensure!(depth < 20, "its typedefs go round in circles");
    if let [pointee @ .., "*"] = words {
        let pointees = spelled(pointee, typedefs, depth)?;
        return Ok(pointees.into_iter().map(|name| format!("__PTR_{name}")).collect());
    }
    Ok(vec![match words {
        ["struct" | "union" | "enum", tag] => (*tag).to_owned(),
        ["function" | "void"] => words[0].to_owned(),
        _ => match arithmetic(words) {
            Some(name) => name,
            None => {
                let [name] = words else { bail!("`{}` is no type", words.join(" ")) };
                let meanings = typedefs.meanings(name);
                if meanings.contains(*name) {
                    return Ok(vec![(*name).to_owned()]);
                }
                let mut all = Vec::new();
                for meaning in meanings {
                    let mut words: Vec<&str> = meaning.split_whitespace().collect();
                    words.retain(|word| !matches!(*word, "const" | "volatile" | "__extension__"));
                    all.extend(spelled(&words, typedefs, depth + 1)?);
                }
                return Ok(all);
            }
        },
    }])
}

/// The name of an arithmetic type, if the words spell one.
fn arithmetic(words: &[&str]) -> Option<String> {
    let count = |what: &str| words.iter().filter(|&&word| word == what).count();
    let known = [
        "char", "short", "int", "long", "unsigned", "signed", "float", "double", "_Complex", "_Bool",
        "__int128",
    ];
    if words.is_empty() || !words.iter().all(|word| known.contains(word)) {
        return None;
    }
    let name = match () {
        () if count("char") > 0 => CHARACTER,
        () if count("_Bool") > 0 => "boolean$8",
        () if count("_Complex") > 0 && count("float") > 0 => "complex_float$64",
        () if count("_Complex") > 0 && count("long") > 0 => "complex_float$256",
        () if count("_Complex") > 0 => "complex_float$128",
        () if count("float") > 0 => "float$32",
        () if count("double") > 0 && count("long") > 0 => "float$128",
        () if count("double") > 0 => "float$64",
        () => {
            let bits = match () {
                () if count("short") > 0 => 16,
                () if count("long") > 0 => 64,
                () if count("__int128") > 0 => 128,
                () => 32,
            };
            let sign = if count("unsigned") > 0 { "uint" } else { "int" };
            return Some(format!("{sign}${bits}"));
        }
    };
    Some(name.to_owned())
}

/// A type name of the tool as an element: the sign of characters and what a function takes do not matter, nor does how
/// many elements an array has.
pub fn element(name: &str) -> String {
    let mut name = name;
    while let Some(inner) = array_element(name) {
        name = inner;
    }
    if let Some(pointee) = name.strip_prefix("__PTR_") {
        return format!("__PTR_{}", element(pointee));
    }
    match name {
        name if name.starts_with("__FUN_") => "function".to_owned(),
        "signed_char$8" | "unsigned_char$8" => CHARACTER.to_owned(),
        name => name.to_owned(),
    }
}

/// The element of `__ARR0_T`, `__ARR12_T`, `__ARRZ_T`.
pub fn array_element(name: &str) -> Option<&str> {
    let (count, element) = name.strip_prefix("__ARR")?.split_once('_')?;
    (count == "Z" || !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())).then_some(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(names: &[&str]) -> Kept {
        Kept::Parts(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn typedefs() -> Typedefs {
        let mut typedefs = Typedefs::default();
        typedefs.add(
            "typedef struct foo_s { int x; } foo_t; typedef foo_t *foo_p; typedef unsigned char uint8_t;
             typedef unsigned long __uint64_t; typedef __uint64_t uint64_t; typedef int (*call_t)(void);",
        );
        typedefs
    }

    #[track_caller]
    fn check(text: &str, expect: Kept) {
        assert_eq!(Said::parse(text, &typedefs()).unwrap(), Some(Said::Kept(vec![expect])), "{text}");
    }

    #[test]
    fn c_spellings_are_read() {
        check("struct foo", parts(&["foo"]));
        check("foo_t", parts(&["foo_s"]));
        check("const foo_t [12]", parts(&["foo_s"]));
        check("foo_p", parts(&["__PTR_foo_s"]));
        check("foo_t**", parts(&["__PTR___PTR_foo_s"]));
        check("uint8_t", parts(&["char$8"]));
        check("unsigned char *", parts(&["__PTR_char$8"]));
        check("uint64_t", parts(&["uint$64"]));
        check("long long int", parts(&["int$64"]));
        check("long double", parts(&["float$128"]));
        check("float _Complex", parts(&["complex_float$64"]));
        check("double _Complex", parts(&["complex_float$128"]));
        check("void *", parts(&["__PTR_void"]));
        check("call_t", parts(&["__PTR_function"]));
        check("function *", parts(&["__PTR_function"]));
        check("unknown_t", parts(&["unknown_t"]));
    }

    #[test]
    fn composed_labels_are_read() {
        check("struct h + foo_t[]", parts(&["h", "foo_s"]));
        check("foo_t {flex}", Kept::Flexible("foo_s".into()));
        check("int | struct b {flex}", Kept::OneOf([parts(&["int$32"]), Kept::Flexible("b".into())].into()));
    }

    #[test]
    fn words_are_read() {
        let said = |text: &str| Said::parse(text, &typedefs()).unwrap();
        assert_eq!([said(""), said("caller"), said("none")], [None, Some(Said::Caller), Some(Said::None)]);
        assert!(Said::parse("three little pigs", &typedefs()).is_err());
        assert!(Said::parse("+", &typedefs()).is_err());
    }

    #[test]
    fn a_typedef_with_two_meanings_means_both() {
        let mut typedefs = typedefs();
        typedefs.add("typedef int foo_t;");
        let said = Said::parse("foo_t", &typedefs).unwrap();
        assert_eq!(said, Some(Said::Kept(vec![parts(&["int$32"]), parts(&["foo_s"])])));
    }

    #[test]
    fn names_of_the_tool_are_elements() {
        for (name, expect) in [
            ("__ARR0_foo", "foo"),
            ("__ARR0___ARR4_int$32", "int$32"),
            ("__ARR0___PTR_unsigned_char$8", "__PTR_char$8"),
            ("__ARR0_signed_char$8", "char$8"),
            ("__PTR___FUN_FROM___FUN_TO_int$32", "__PTR_function"),
            ("__ARRAY", "__ARRAY"),
        ] {
            assert_eq!(element(name), expect, "{name}");
        }
    }
}
