//! A textual search for calls that look like allocations.
//!
//! It knows words and parentheses, not C: what it finds must not depend on what the tool under judgement understands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A call in a source file.
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Counted from 1.
    pub line: usize,
    /// Where the callee's name starts, in bytes, counted from 1.
    pub column: usize,
    /// The function or macro that is called.
    pub callee: &'a str,
}

/// A word or a character of a source, outside comments, literals and directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

/// The calls in a source file that look like allocations: by the name of the callee, or because it is one of `macros`.
pub fn calls<'a>(source: &'a str, macros: &BTreeSet<String>) -> Vec<Call<'a>> {
    let tokens = tokens(&blanked(source, true), source);
    let is_call = |index: usize| {
        let name = tokens[index].text;
        (looks_like_allocation(name) || macros.contains(name))
            && tokens.get(index + 1).is_some_and(|next| next.text == "(")
            && !is_declared(&tokens, index)
    };
    let starts = (0..tokens.len()).filter(|&index| is_call(index)).map(|index| tokens[index]);
    starts
        .map(|token| {
            let before = &source[..token.start];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Call {
                line: before.matches('\n').count() + 1,
                column: token.start - line_start + 1,
                callee: token.text,
            }
        })
        .collect()
}

/// The macros of a source whose body has a call that looks like an allocation, or of one of the macros that are known to
/// have: each use of one is such a call.
pub fn allocating_macros(source: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let text = blanked(source, false);
    let text = String::from_utf8_lossy(&text);
    let mut found = BTreeSet::new();
    for directive in directives(&text) {
        let Some(rest) = directive.trim_start_matches(['#', ' ', '\t']).strip_prefix("define") else {
            continue;
        };
        let words = tokens(rest.as_bytes(), rest);
        let body = words.iter().skip_while(|token| token.text != ")").collect::<Vec<_>>();
        let is_one = |name: &str| looks_like_allocation(name) || known.contains(name);
        let allocates = body.windows(2).any(|pair| is_one(pair[0].text) && pair[1].text == "(");
        if let (Some(name), true) = (words.first(), allocates && words.get(1).is_some_and(|w| w.text == "("))
        {
            found.insert(name.text.to_owned());
        }
    }
    found
}

/// The macros that a source defines.
pub fn macros(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("define")?.trim_start();
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
    })
}

/// The line on which the argument list of a call ends.
pub fn last_line(source: &str, line: usize, column: usize) -> usize {
    // Few argument lists are longer.
    const MOST_LINES: usize = 60;
    let text: Vec<&str> = source.lines().skip(line - 1).take(MOST_LINES).collect();
    let text = text.join("\n");
    let text = text.get(column - 1..).unwrap_or_default();
    let tokens = tokens(&blanked(text, true), text);
    let end = argument_list(&tokens, 0).map_or(0, |close| tokens[close].start);
    line + text[..end].matches('\n').count()
}

/// The lines that are not empty in the output of a preprocessor, by file: what conditions leave out is missing. A file
/// that only defines macros has none.
pub fn lines_compiled(preprocessed: &str) -> BTreeMap<&str, BTreeSet<usize>> {
    let mut found: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let (mut file, mut number) = ("", 0);
    for line in preprocessed.lines() {
        if let Some((start, name)) = line_marker(line) {
            (file, number) = (name, start);
            found.entry(file).or_default();
            continue;
        }
        if !line.trim().is_empty() {
            found.entry(file).or_default().insert(number);
        }
        number += 1;
    }
    found
}

/// The file that was preprocessed, and the directory in which it was, if the preprocessor has been asked to say that.
pub fn main_file(preprocessed: &str) -> Option<(&str, &Path)> {
    let mut markers = preprocessed.lines().filter_map(line_marker).map(|(_, name)| name);
    let main = markers.next()?;
    Some((main, Path::new(markers.next()?.strip_suffix("//")?)))
}

/// `# 12 "file" 1 3`
fn line_marker(line: &str) -> Option<(usize, &str)> {
    let (number, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    Some((number.parse().ok()?, rest.strip_prefix('"')?.split('"').next()?))
}

/// Whether a name is one that allocation functions have.
fn looks_like_allocation(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // These ask about blocks or give them back.
    let is_other =
        ["size", "free", "fail"].iter().any(|end| lower.ends_with(end)) || lower.contains("dealloc");
    // Not in any case: the middle of "walLock" is no word.
    let allocates = ["alloc", "Alloc", "ALLOC"].iter().any(|part| name.contains(part));
    let duplicates = ["strdup", "strndup", "memdup"].iter().any(|part| lower.contains(part));
    let makes = lower.split('_').any(|word| matches!(word, "new" | "xnew"));
    !is_other && (allocates || duplicates || makes)
}

/// Whether the name before an argument list is being declared or defined there.
fn is_declared(tokens: &[Token], index: usize) -> bool {
    let is_word = |token: &Token| token.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_statement =
        |token: &Token| matches!(token.text, "return" | "else" | "do" | "case" | "goto" | "sizeof");
    let close = argument_list(tokens, index);
    if close.and_then(|close| tokens.get(close + 1)).is_some_and(|next| next.text == "{") {
        return true;
    }
    // A type stands before a declared name: words and stars back to where a declaration can begin.
    let before = tokens[..index].iter().rev();
    let part_of_type = |token: &&Token| token.text == "*" || is_word(token) && !is_statement(token);
    let of_type: Vec<&Token> = before.clone().take_while(part_of_type).collect();
    let begins = before
        .clone()
        .nth(of_type.len())
        .is_none_or(|token| matches!(token.text, ";" | "{" | "}" | ")" | "("));
    of_type.iter().any(|token| is_word(token)) && begins
}

/// Where the argument list behind a name is closed.
fn argument_list(tokens: &[Token], name: usize) -> Option<usize> {
    let mut depth = 0;
    let close = tokens.get(name + 1..)?.iter().position(|token| {
        depth += i32::from(token.text == "(") - i32::from(token.text == ")");
        depth == 0
    });
    Some(name + 1 + close?)
}

/// The words and single characters of a blanked text, as parts of the source that has the same offsets.
pub(super) fn tokens<'a>(bytes: &[u8], source: &'a str) -> Vec<Token<'a>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        at += 1;
        if is_word(bytes[start]) {
            at += bytes[at..].iter().take_while(|&&byte| is_word(byte)).count();
        }
        if bytes[start].is_ascii() && !bytes[start].is_ascii_whitespace() {
            found.push(Token { text: &source[start..at], start });
        }
    }
    found
}

/// The directives of a text without comments, with the lines that continue each.
fn directives(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with('#') {
            continue;
        }
        let mut directive = line.to_owned();
        while directive.ends_with('\\') {
            directive.pop();
            directive.push_str(lines.next().unwrap_or_default());
        }
        found.push(directive);
    }
    found
}

/// The same text with spaces in place of comments, of what stands in literals, and of directives if so asked.
fn blanked(source: &str, without_directives: bool) -> Vec<u8> {
    let mut out = source.as_bytes().to_vec();
    let bytes = source.as_bytes();
    let find = |from: usize, what: &str| source[from..].find(what).map_or(bytes.len(), |at| from + at);
    let (mut at, mut line_is_empty) = (0, true);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'*') => (find(at + 2, "*/") + 2).min(bytes.len()),
            b'/' if bytes.get(at + 1) == Some(&b'/') => end_of_line(bytes, at),
            quote @ (b'"' | b'\'') => end_of_literal(bytes, at, quote),
            b'#' if line_is_empty && without_directives => end_of_directive(bytes, at),
            byte => {
                line_is_empty = byte == b'\n' || line_is_empty && byte.is_ascii_whitespace();
                at += 1;
                continue;
            }
        };
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    out
}

/// Where a line ends that backslashes may continue.
fn end_of_line(bytes: &[u8], start: usize) -> usize {
    let ends = |&at: &usize| bytes[at] == b'\n' && !matches!(bytes[..at], [.., b'\\'] | [.., b'\\', b'\r']);
    (start..bytes.len()).find(ends).unwrap_or(bytes.len())
}

/// Where a directive ends, with a comment in it that goes on over lines.
fn end_of_directive(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        let end = end_of_line(bytes, at);
        let open = bytes[at..end].windows(2).rposition(|pair| pair == b"/*").map(|open| at + open);
        match open {
            Some(open) if !bytes[open..end].windows(2).any(|pair| pair == b"*/") => {
                let close = bytes[end..].windows(2).position(|pair| pair == b"*/");
                at = close.map_or(bytes.len(), |close| end + close + 2);
            }
            _ => return end,
        }
    }
}

fn end_of_literal(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expect: &[&str]) {
        let found = calls(source, &allocating_macros(source, &BTreeSet::new()));
        let found: Vec<String> =
            found.iter().map(|call| format!("{}:{} {}", call.line, call.column, call.callee)).collect();
        assert_eq!(found, expect, "{source}");
    }

    #[test]
    fn calls_are_found_where_they_stand() {
        check(
            "void f(void) {\n\tp = malloc(4); q = (char *) xstrdup (s);\n}",
            &["2:6 malloc", "2:30 xstrdup"],
        );
        check("x = y->xMalloc(n) + g(calloc(a, b));", &["1:8 xMalloc", "1:23 calloc"]);
        check(
            "if (!(p = malloc(1))) { return my_new(x); } else realloc(p, 2);",
            &["1:11 malloc", "1:32 my_new", "1:50 realloc"],
        );
        check("n = k * alloc(1);", &["1:9 alloc"]);
    }

    #[test]
    fn declarations_and_definitions_are_none() {
        check("void *malloc(size_t);\nextern struct a *a_new(int);\nstatic void *\nxalloc(int n)\n{\n}", &[]);
        check("__attribute__((malloc)) void *xmalloc(size_t n);", &[]);
        check("struct t { void *(*realloc)(void *, size_t); };", &[]);
        check("int f() { foo_t *foo_new(void); }", &[]);
    }

    #[test]
    fn comments_literals_and_directives_are_none() {
        check("/* malloc(1)\n */ // malloc(2) \\\nmalloc(3)\n\"malloc(4)\" '\\'' \"\\\" malloc(5)\"", &[]);
        check(
            "#if malloc(1)\n# define A() \\\n malloc(2)\n#else /* a\n malloc(3) */\nx = malloc(4);",
            &["6:5 malloc"],
        );
    }

    #[test]
    fn uses_of_macros_that_allocate_are_calls() {
        check(
            "#define PUSH(v) do { v = realloc(v, 1); \\\n } while (0)\n#define OTHER(v) v\nf() { PUSH(a); OTHER(b); }",
            &["4:7 PUSH"],
        );
        check("#define ALLOCATES malloc(4)\n", &[]);
    }

    #[test]
    fn names_of_questions_and_releases_are_none() {
        check("walLockShared(p); x = malloc_size(p); y = dealloc(p); z = mallocFree(p);", &[]);
    }

    #[test]
    fn argument_lists_end() {
        let source = "f(\n x = g(h(1), // )\n  \")\",\n  2) + 3);\n";
        assert_eq!([last_line(source, 1, 1), last_line(source, 2, 6), last_line(source, 2, 8)], [4, 4, 2]);
    }

    #[test]
    fn macros_are_named() {
        assert_eq!(macros("#define A 1\n # define B(x) x\n#undef C").collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn a_preprocessed_file_says_where_it_was_made() {
        let text = "# 0 \"lib/a.c\"\n# 1 \"/p q//\"\n# 0 \"<built-in>\"\n";
        assert_eq!(main_file(text), Some(("lib/a.c", Path::new("/p q"))));
        assert_eq!(main_file("# 0 \"a.c\"\n# 0 \"<built-in>\"\n"), None);
    }

    #[test]
    fn lines_left_out_by_conditions_are_missing() {
        let text = "# 1 \"a.c\"\n# 1 \"h/b.h\" 1\n\nint b;\n# 2 \"a.c\" 2\n\n\nint a =\n 1;\n";
        let found = lines_compiled(text);
        let expected = [("a.c", BTreeSet::from([4, 5])), ("h/b.h", BTreeSet::from([2]))];
        assert_eq!(found, BTreeMap::from(expected));
    }
}
