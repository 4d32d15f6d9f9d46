//! Types that a program names at link time: their symbols, the room that each has, and the note that leads to it.
//!
//! The tool puts an object under the symbol of each such type into the file that it links, and beside it a note in
//! [`NOTE_SECTION`]. The run-time library finds the note in the loaded file and makes the object the type of that name.

/// What the symbol of a type begins with. Its name follows, in which `$$` stands for `$`, and `$` with two hexadecimal digits
/// for any other byte that C has not in names.
pub const SYMBOL_PREFIX: &str = "__uniqtype__";

/// The section that holds the notes.
pub const NOTE_SECTION: &str = ".note.allocs";
/// Name of a note, NUL included. It is 8 bytes long, so that the note needs no padding behind it.
pub const NOTE_NAME: &[u8; 8] = b"allocs.\0";
/// Type of a note. Its contents: the distance of the object from the start of the contents, as an `i32`; the object's room in bytes,
/// as a `u32`; the symbol, NUL-terminated and padded to four bytes.
pub const NOTE_TYPE: u32 = 1;

/// The function of the library that a file calls before its own constructors, with an address in the file: its types are to be
/// found.
pub const LOADED_FUNCTION: &str = "__allocs_uniqtypes_loaded";

/// Bytes of `struct uniqtype` up to `related`.
pub const HEAD_SIZE: usize = 24;
/// Bytes of one slot of `related`.
pub const SLOT_SIZE: usize = 16;

/// Bytes that a type with this number of slots takes: behind them there is a word of the library's.
#[must_use]
pub const fn room(slots: usize) -> usize {
    HEAD_SIZE + slots * SLOT_SIZE + 8
}

/// Room for a type of which the name says nothing else: a struct of more than 4092 members does not fit.
pub const ROOM_OF_NAMED: usize = 65536;

/// The bytes of a symbol's name, one at a time; `None` among them where it is no symbol of a type.
#[must_use]
pub fn decoded(symbol: &[u8]) -> Option<impl Iterator<Item = Option<u8>> + '_> {
    let mut rest = symbol.strip_prefix(SYMBOL_PREFIX.as_bytes())?;
    Some(core::iter::from_fn(move || {
        let (byte, behind) = match *rest {
            [] => return None,
            [b'$', b'$', ref behind @ ..] => (Some(b'$'), behind),
            [b'$', high, low, ref behind @ ..] => (byte(high, low), behind),
            [b'$', ..] => (None, &[][..]),
            [byte, ref behind @ ..] => (Some(byte), behind),
        };
        rest = behind;
        Some(byte)
    }))
}

fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

/// One type that a loaded file has an object for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note<'a> {
    /// The symbol, without its NUL.
    pub symbol: &'a [u8],
    /// Offset of the object from the start of the notes that were read.
    pub object: isize,
    /// Its room in bytes.
    pub room: usize,
}

/// The notes about types among all notes of a segment. What is behind one that makes no sense is left out.
pub fn notes(bytes: &[u8]) -> impl Iterator<Item = Note<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let (name_size, size) = (word(rest, 0)? as usize, word(rest, 4)? as usize);
            let start = 12usize.checked_add(name_size)?.checked_next_multiple_of(4)?;
            let end = start.checked_add(size)?;
            let contents = rest.get(start..end)?;
            let is_ours = rest.get(12..12 + name_size)? == NOTE_NAME && word(rest, 8)? == NOTE_TYPE;
            let here = at + start;
            at += end.checked_next_multiple_of(4)?;
            if is_ours && let Some(note) = of_contents(contents, here) {
                return Some(note);
            }
        }
    })
}

fn of_contents(contents: &[u8], at: usize) -> Option<Note<'_>> {
    let distance = word(contents, 0)?.cast_signed() as isize;
    let text = contents.get(8..)?;
    let symbol = text.get(..text.iter().position(|&byte| byte == 0)?)?;
    Some(Note { symbol, object: (at as isize).checked_add(distance)?, room: word(contents, 4)? as usize })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&word| u32::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn a_symbol_is_a_name_without_odd_bytes() {
        let name = |symbol: &str| decoded(symbol.as_bytes())?.collect::<Option<Vec<u8>>>();
        assert_eq!(name("__uniqtype__int$$32").as_deref(), Some(&b"int$32"[..]));
        assert_eq!(name("__uniqtype__short$20int").as_deref(), Some(&b"short int"[..]));
        for wrong in ["int", "__uniqtype__a$", "__uniqtype__a$2", "__uniqtype__$zz"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn notes_of_others_are_passed_over_and_broken_ones_end_it() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let mut bytes = [words(&[4, 3, 3]), b"GNU\0abc\0".to_vec()].concat();
        bytes.extend(
            [words(&[8, 12, NOTE_TYPE]), NOTE_NAME.to_vec(), words(&[100, 48]), b"s\0\0\0".to_vec()].concat(),
        );
        let expected = Note { symbol: b"s", object: 40 + 100, room: 48 };
        assert_eq!(notes(&bytes).collect::<Vec<_>>(), [expected]);
        for len in 0..bytes.len() {
            assert_eq!(notes(&bytes[..len]).count(), 0, "{len}");
        }
        bytes.extend(words(&[8, u32::MAX, NOTE_TYPE]));
        assert_eq!(notes(&bytes).count(), 1);
    }
}
