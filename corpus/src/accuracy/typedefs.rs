//! What typedef names stand for, read from preprocessed text.
//!
//! People write `foo_t`, the tool says the tag. The answer comes from the text alone, as the labels do.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Token, tokens};

/// The typedefs of a program. Two files may define a name differently, so a name may stand for several types.
#[derive(Debug, Default)]
pub struct Typedefs(BTreeMap<String, BTreeSet<String>>);

impl Typedefs {
    /// Adds the typedefs of a preprocessed file.
    pub fn add(&mut self, preprocessed: &str) {
        // Each file has those of the system's headers again.
        let tokens = tokens(preprocessed.as_bytes(), preprocessed);
        for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.text == "typedef") {
            if let Some((name, meaning)) = typedef(&tokens[at + 1..]) {
                self.0.entry(name.to_owned()).or_default().insert(meaning);
            }
        }
    }

    /// What a name may stand for: itself, if it is no typedef.
    pub fn meanings(&self, name: &str) -> BTreeSet<String> {
        self.0.get(name).cloned().unwrap_or_else(|| [name.to_owned()].into())
    }
}

/// The name that a declaration behind `typedef` defines, and the type as C words: `unsigned long`, `struct tag`, `foo *`.
/// A struct without a tag is called as the name.
fn typedef<'a>(tokens: &[Token<'a>]) -> Option<(&'a str, String)> {
    let mut words: Vec<&str> = Vec::new();
    let mut depth = 0;
    for token in tokens {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            ";" if depth == 0 => break,
            text if depth == 0 => words.push(text),
            _ => {}
        }
        if words.len() > MOST_WORDS {
            return None;
        }
    }
    // `R (*name)(…)` and `R name(…)`.
    if let Some(open) =
        words.iter().position(|&word| word == "(").filter(|_| !words.contains(&"__attribute__"))
    {
        return match words[open + 1..] {
            ["*", name, ")", "(", ..] => Some((name, "function *".to_owned())),
            _ => Some((words.get(open.checked_sub(1)?).copied()?, "function".to_owned())),
        };
    }
    let end =
        words.iter().position(|word| matches!(*word, "[" | "__attribute__" | ",")).unwrap_or(words.len());
    let (name, ty) = words[..end].split_last()?;
    let ty = match ty {
        ["struct" | "union" | "enum"] => [ty, &[*name]].concat(),
        ty => ty.to_vec(),
    };
    Some((name, ty.join(" ")))
}

/// A longer declaration is none that labels name.
const MOST_WORDS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typedefs_are_read() {
        let mut typedefs = Typedefs::default();
        typedefs.add(
            "typedef unsigned long size_t; typedef struct a_s { int x; struct { int y; }; } a_t;
             typedef struct { int x; } anonymous; typedef a_t *pointer; typedef int (*call)(int, void *);
             typedef int function_type(int); typedef int four[4]; typedef enum { X, Y } kind;
             typedef int wide __attribute__((mode(DI))); typedef struct only_tag only_tag;",
        );
        for (name, meaning) in [
            ("size_t", "unsigned long"),
            ("a_t", "struct a_s"),
            ("anonymous", "struct anonymous"),
            ("pointer", "a_t *"),
            ("call", "function *"),
            ("function_type", "function"),
            ("four", "int"),
            ("kind", "enum kind"),
            ("wide", "int"),
            ("only_tag", "struct only_tag"),
            ("other", "other"),
        ] {
            assert_eq!(typedefs.meanings(name), [meaning.to_owned()].into(), "{name}");
        }
    }
}
