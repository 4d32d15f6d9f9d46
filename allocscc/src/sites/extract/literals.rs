//! Gathers the string literals of a file that do not get into mergeable sections.
//!
//! Every run of string tokens counts, also those that never get into memory (`asm`, attributes, initialisers of arrays):
//! the link step asks only whether a string that it found is one of the source.

use std::collections::BTreeSet;

use crate::c::lexer::Tokens;
use crate::c::strings::{self, Text};
use crate::c::token::TokenKind;
use crate::sites::facts::StringLiteral;

/// The longest literal that is kept, in bytes. Longer ones are data that initialise an array, and would double the object.
const LONGEST: usize = 1 << 16;

/// The literals of a file, each once. Where the compiler merges literals only those with a NUL inside are wanted: a mergeable
/// section cannot hold them.
pub(super) fn unmerged(tokens: &Tokens<'_>, merges_literals: bool) -> Vec<StringLiteral> {
    let mut found = BTreeSet::new();
    for run in tokens.tokens.chunk_by(|a, b| a.kind == TokenKind::Text && b.kind == TokenKind::Text) {
        if run[0].kind != TokenKind::Text {
            continue;
        }
        let parts: Vec<&[u8]> = run.iter().map(|&token| tokens.text(token)).collect();
        // Each NUL but the last is written as an escape.
        if merges_literals && !parts.iter().any(|part| part.contains(&b'\\')) {
            continue;
        }
        let text = strings::concatenate(&parts);
        if text.bytes.len() <= LONGEST && (!merges_literals || has_inner_nul(&text)) {
            found.insert(StringLiteral { width: text.element.size as u8, bytes: text.bytes });
        }
    }
    found.into_iter().collect()
}

fn has_inner_nul(text: &Text) -> bool {
    let mut characters = text.bytes.chunks_exact(text.element.size as usize).rev().skip(1);
    characters.any(|c| c.iter().all(|&b| b == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c::lexer;

    fn check(merges_literals: bool, source: &str, expected: &[(u8, &[u8])]) {
        let found = unmerged(&lexer::tokenize(source.as_bytes()), merges_literals);
        let found: Vec<_> = found.iter().map(|l| (l.width, &*l.bytes)).collect();
        assert_eq!(found, expected, "{source}");
    }

    const SOURCE: &str = r#"
const char *a = "one" /* and */ "two", *b = "onetwo", *c = "x\0y\n";
# 3 "marker.c"
void f() { g("b" , "a\n", L"w", L"\u0100", L"\0"); }
"#;

    #[test]
    fn each_literal_is_gathered_once() {
        let inner: [(u8, &[u8]); 2] = [(1, b"x\0y\n\0"), (4, b"\0\0\0\0\0\0\0\0")];
        check(true, SOURCE, &inner);
        check(
            false,
            SOURCE,
            &[
                (1, b"a\n\0"),
                (1, b"b\0"),
                (1, b"onetwo\0"),
                inner[0],
                inner[1],
                (4, b"\0\x01\0\0\0\0\0\0"),
                (4, b"w\0\0\0\0\0\0\0"),
            ],
        );
        check(false, &format!("char data[] = \"{}\";", "x".repeat(LONGEST)), &[]);
    }
}
