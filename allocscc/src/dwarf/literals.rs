//! String literals, where the assembler's labels of them were kept (`-Wa,-L` with `-Wl,--discard-none`).

use super::linked::{LinkedFile, Symbol};

/// Address and size, NUL included, of each string literal, by address. One that is the tail of another is left out: the
/// linker put both in one place.
///
/// The labels stand for constants of all kinds. A string is one whose bytes up to the first NUL are text; a floating-point
/// constant or an initialiser hardly ever is.
pub(crate) fn find(file: &LinkedFile<'_>, symbols: &[Symbol<'_>]) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for symbol in symbols.iter().filter(|s| s.is_local && is_literal_label(&s.name)) {
        let Some(size) = file.constant_bytes(symbol.svma).and_then(string_size) else { continue };
        match found.last() {
            Some(&(svma, size)) if symbol.svma < svma.saturating_add(size) => {}
            _ => found.push((symbol.svma, size)),
        }
    }
    found
}

/// `.LC7` of gcc, `.L.str` and `.L.str.7` of clang.
fn is_literal_label(name: &str) -> bool {
    let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix(".LC").is_some_and(is_number)
        || name == ".L.str"
        || name.strip_prefix(".L.str.").is_some_and(is_number)
}

/// Size of the text that `bytes` start with, its NUL included; `None` if it is empty or not text.
fn string_size(bytes: &[u8]) -> Option<u64> {
    let length = bytes.iter().position(|&b| b == 0)?;
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x07'..='\x0c' | '\x1b');
    (length != 0 && text.chars().all(is_text)).then_some(length as u64 + 1)
}
