//! String literals: the type of their characters, and the bytes that they are in memory.
//!
//! The execution character sets are those that gcc and clang have by default: UTF-8, UTF-16 and UTF-32.

use super::types;
use crate::sites::facts::BaseType;

/// A string literal.
pub(crate) struct Text {
    /// The type of a character.
    pub(crate) element: BaseType,
    /// What it is in memory, the NUL included.
    pub(crate) bytes: Vec<u8>,
}

impl Text {
    /// Number of characters, the NUL included.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64 / u64::from(self.element.size)
    }

    fn push(&mut self, unit: Unit) {
        match (self.element.size, unit) {
            (1, Unit::Value(value)) => self.bytes.push(value as u8),
            (1, Unit::Character(c)) => self.bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            (2, Unit::Value(value)) => self.bytes.extend((value as u16).to_le_bytes()),
            (2, Unit::Character(c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    self.bytes.extend(unit.to_le_bytes());
                }
            }
            (_, unit) => self.bytes.extend(unit.value().to_le_bytes()),
        }
    }
}

/// The literal that adjacent ones make, given as they are spelt. A prefix of one holds for all.
pub(crate) fn concatenate(parts: &[&[u8]]) -> Text {
    let mut elements = parts.iter().map(|part| element(kind(split_prefix(part).0)));
    let element = elements.find(|&element| element != types::CHAR).unwrap_or(types::CHAR);
    let mut text = Text { element, bytes: Vec::with_capacity(parts.iter().map(|part| part.len()).sum()) };
    let is_wide = element.size > 1;
    for part in parts {
        let (prefix, body) = split_prefix(part);
        if prefix.ends_with(b"R") {
            source_units(raw_contents(body), is_wide).for_each(|unit| text.push(unit));
        } else {
            each_unit(body, is_wide, |unit| text.push(unit));
        }
    }
    text.push(Unit::Value(0));
    text
}

/// The prefix without the `R` of a raw literal.
fn kind(prefix: &[u8]) -> &[u8] {
    prefix.strip_suffix(b"R").unwrap_or(prefix)
}

/// What stands between the parentheses of `delimiter(…)delimiter`.
fn raw_contents(body: &[u8]) -> &[u8] {
    let open = body.iter().position(|&byte| byte == b'(').unwrap_or(0);
    body.get(open + 1..body.len().saturating_sub(open + 1)).unwrap_or(&[])
}

/// The type of a character behind this prefix.
pub(super) fn element(prefix: &[u8]) -> BaseType {
    match prefix {
        b"L" => types::INT,
        b"u" => BaseType { encoding: types::UNSIGNED, size: 2 },
        b"U" => types::UINT,
        _ => types::CHAR,
    }
}

/// The prefix of a literal, and what stands between its quotes.
pub(super) fn split_prefix(text: &[u8]) -> (&[u8], &[u8]) {
    let quote = text.iter().position(|byte| matches!(byte, b'"' | b'\'')).unwrap_or(0);
    let body = text.get(quote + 1..text.len().saturating_sub(1)).unwrap_or(&[]);
    (&text[..quote], body)
}

/// What a literal is made of.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// One element of the array, whatever it means: a byte of the source, `\0`, `\xff`.
    Value(u32),
    /// A character, which may take several elements.
    Character(char),
}

impl Unit {
    pub(super) fn value(self) -> u32 {
        match self {
            Unit::Value(value) => value,
            Unit::Character(c) => c.into(),
        }
    }
}

/// Characters of the source: bytes for a narrow literal, decoded for a wide one.
fn source_units(text: &[u8], is_wide: bool) -> impl Iterator<Item = Unit> {
    let (narrow, wide) = if is_wide { (&text[..0], text) } else { (text, &text[..0]) };
    let decoded = wide.utf8_chunks().flat_map(|chunk| {
        let bad = chunk.invalid().iter().map(|&byte| Unit::Value(byte.into()));
        chunk.valid().chars().map(Unit::Character).chain(bad)
    });
    narrow.iter().map(|&byte| Unit::Value(byte.into())).chain(decoded)
}

/// Goes through characters and escapes.
pub(super) fn each_unit(body: &[u8], is_wide: bool, mut each: impl FnMut(Unit)) {
    let mut rest = body;
    while !rest.is_empty() {
        let plain = rest.iter().position(|&byte| byte == b'\\').unwrap_or(rest.len());
        source_units(&rest[..plain], is_wide).for_each(&mut each);
        rest = &rest[plain..];
        if !rest.is_empty() {
            let (unit, length) = escape(rest);
            each(unit);
            rest = &rest[length.min(rest.len())..];
        }
    }
}

/// The escape at the start of a text, and its length.
fn escape(text: &[u8]) -> (Unit, usize) {
    let kind = text.get(1).copied().unwrap_or(0);
    let (start, limit, radix) = match kind {
        b'x' => (2, usize::MAX, 16),
        b'u' => (2, 4, 16),
        b'U' => (2, 8, 16),
        b'0'..=b'7' => (1, 3, 8),
        _ => return (Unit::Value(simple_escape(kind)), 2),
    };
    let digits = text[start..].iter().take(limit).map_while(|&byte| (byte as char).to_digit(radix));
    let (value, count) = digits
        .fold((0u32, 0), |(value, count), digit| (value.wrapping_mul(radix).wrapping_add(digit), count + 1));
    let unit = match kind {
        b'u' | b'U' => char::from_u32(value).map_or(Unit::Value(value), Unit::Character),
        _ => Unit::Value(value),
    };
    (unit, start + count)
}

fn simple_escape(kind: u8) -> u32 {
    u32::from(match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'e' | b'E' => 27,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&str], size: u32, bytes: &[u8]) {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let text = concatenate(&parts);
        assert_eq!((text.element.size, &*text.bytes), (size, bytes), "{parts:?}");
    }

    #[test]
    fn literals_are_their_bytes() {
        check(&[r#""a\0b""#], 1, b"a\0b\0");
        check(&[r#""\x1""#, r#""2\1234""#], 1, b"\x012S4\0");
        check(&[r#""\"\\\n\e""#], 1, b"\"\\\n\x1b\0");
        check(&[r#""\u00e9\u20ac""#, "\"é\""], 1, "é€é\0".as_bytes());
        check(&[r#"u8"x""#], 1, b"x\0");
        check(&[r#""a""#, r#"L"é""#, r#""\xffffffff""#], 4, b"a\0\0\0\xe9\0\0\0\xff\xff\xff\xff\0\0\0\0");
        check(&["u\"😀\""], 2, b"\x3d\xd8\x00\xde\0\0");
        check(&[r#"R"x(a\n)x""#], 1, b"a\\n\0");
        check(&[r#"LR"(b)""#], 4, b"b\0\0\0\0\0\0\0");
        check(&[r#""""#], 1, b"\0");
        check(&["\""], 1, b"\0");
        check(&[r#""\"#], 1, b"\0");
    }

    #[test]
    fn lengths_count_elements() {
        assert_eq!(concatenate(&[b"L\"abc\"".as_slice()]).length(), 4);
        assert_eq!(concatenate(&[b"\"abc\"".as_slice()]).length(), 4);
    }
}
