//! String literals among other constants: those that the compiler did not put into mergeable sections.
//!
//! Without optimisation gcc puts literals into plain `.rodata`, and compilers always put those there that have a NUL inside.
//! They stand without symbols between jump tables, floating-point constants, the contents of local aggregates, and constant
//! variables. The bytes alone do not tell them apart, so the facts of the sources say which literals there are, and a
//! literal is where those bytes are at a place where one can begin:
//!
//! - Directly behind what is known (the start of the input section, a static, a literal), with no more padding than the
//!   characters' alignment needs: any literal of the source.
//! - Behind a zero byte or at a multiple of four, where the constant before is not known: jump tables and floating-point
//!   constants end like that. Here a literal needs four characters, the NUL counted, because shorter ones occur in tables of
//!   numbers by chance.
//!
//! The longest literal wins, over all widths. Literals that begin with a NUL are left out: nothing tells where one begins in
//! padding or a table.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::calls::Svma;
use super::literals::Literal;

/// The fewest characters, NUL counted, of a literal behind something unknown.
const LEAST_ALONE: usize = 4;

/// The literals that the sources have, for a quick answer to which one some bytes begin with.
#[derive(Default)]
pub struct KnownLiterals<'f> {
    widths: [KnownOfWidth<'f>; 3],
}

/// Known literals of one width of characters.
#[derive(Default)]
struct KnownOfWidth<'f> {
    all: FxHashSet<&'f [u8]>,
    /// From the characters up to the first NUL to the lengths of all literals that begin so, longest first.
    lengths: FxHashMap<&'f [u8], Vec<usize>>,
    /// The lengths of the keys of `lengths`, to hash no bytes in vain.
    key_lengths: FxHashSet<usize>,
    has_empty: bool,
}

impl<'f> KnownLiterals<'f> {
    /// Adds a literal: bytes a character, and its bytes with the NUL.
    pub fn add(&mut self, width: u8, bytes: &'f [u8]) {
        let Some(width_index) = [1, 2, 4].iter().position(|&w| w == width) else { return };
        let known = &mut self.widths[width_index];
        let width = usize::from(width);
        let Some(nul) = first_nul(bytes, width) else { return };
        if bytes.len() == width {
            known.has_empty = true;
        }
        if nul > 0 && known.all.insert(bytes) {
            let key = &bytes[..nul + width];
            let lengths = known.lengths.entry(key).or_default();
            let place = lengths.partition_point(|&length| length > bytes.len());
            if lengths.get(place) != Some(&bytes.len()) {
                lengths.insert(place, bytes.len());
            }
            known.key_lengths.insert(key.len());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.widths.iter().all(|known| known.all.is_empty())
    }
}

impl KnownOfWidth<'_> {
    /// The longest literal that `bytes` begin with, if their first NUL is at `nul`.
    fn at(&self, bytes: &[u8], nul: usize, width: usize) -> Option<usize> {
        let key_length = nul + width;
        if !self.key_lengths.contains(&key_length) {
            return None;
        }
        let lengths = self.lengths.get(bytes.get(..key_length)?)?;
        lengths
            .iter()
            .copied()
            .find(|&length| bytes.get(..length).is_some_and(|text| self.all.contains(text)))
    }
}

/// Offset of the first NUL character.
fn first_nul(bytes: &[u8], width: usize) -> Option<usize> {
    bytes.chunks_exact(width).position(|c| c.iter().all(|&b| b == 0)).map(|index| index * width)
}

/// The literals in an input section at `start`. `covered` is where statics are: sorted and disjoint.
#[must_use]
pub fn literals_among_constants(
    start: u64,
    bytes: &[u8],
    covered: &[Range<u64>],
    known: &KnownLiterals<'_>,
) -> Vec<Literal> {
    let mut found = Vec::new();
    let mut search = Search { start, bytes, known, nuls: [0; 3] };
    let mut at = 0;
    // The end of what is known, and whether only zeros follow it.
    let (mut explained, mut is_padding) = (0, true);
    while at < bytes.len() {
        let next = covered.partition_point(|c| c.end <= start + at as u64);
        let next = covered.get(next);
        let end = next.map_or(bytes.len(), |c| offset(c.start, start).clamp(at, bytes.len()));
        if let (true, Some(c)) = (end == at, next) {
            at = offset(c.end, start);
            (explained, is_padding) = (at, true);
            continue;
        }
        while at < end {
            let gap = is_padding.then_some(at - explained);
            if let Some((length, width)) = search.literal_at(at, end, gap) {
                let svma = Svma(start + at as u64);
                found.push(Literal { svma, length: (length / width) as u64, width: width as u64 });
                at += length;
                (explained, is_padding) = (at, true);
            } else {
                is_padding &= bytes[at] == 0;
                at += 1;
            }
        }
    }
    found
}

fn offset(svma: u64, start: u64) -> usize {
    usize::try_from(svma.saturating_sub(start)).unwrap_or(usize::MAX)
}

struct Search<'s> {
    start: u64,
    bytes: &'s [u8],
    known: &'s KnownLiterals<'s>,
    /// For each width the offset of a NUL character that no other one precedes, at or behind the last place asked for.
    nuls: [usize; 3],
}

impl Search<'_> {
    /// Length and width of the literal at an offset. `gap` is the number of bytes since the last known thing if they are zeros.
    fn literal_at(&mut self, at: usize, end: usize, gap: Option<usize>) -> Option<(usize, usize)> {
        let svma = self.start + at as u64;
        let is_start = gap == Some(0) || svma.is_multiple_of(4) || self.bytes[at - 1] == 0;
        let mut longest = None;
        for (index, known) in self.known.widths.iter().enumerate().filter(|_| is_start) {
            let width = 1 << index;
            if known.all.is_empty() || !svma.is_multiple_of(width as u64) {
                continue;
            }
            let Some(nul) = self.next_nul(at, index) else { continue };
            let Some(length) = known.at(&self.bytes[at..end], nul - at, width) else { continue };
            // gcc emits an empty literal once a file; it is a NUL that looks like padding.
            let padding = if known.has_empty { 2 * width } else { width };
            let is_next = gap.is_some_and(|gap| gap < padding);
            if (is_next || length / width >= LEAST_ALONE) && longest.is_none_or(|(l, _)| length > l) {
                longest = Some((length, width));
            }
        }
        longest
    }

    /// The first NUL character at or behind an offset; offsets only rise.
    fn next_nul(&mut self, at: usize, index: usize) -> Option<usize> {
        let width = 1 << index;
        if self.nuls[index] < at || self.nuls[index] == 0 {
            let nul = first_nul(&self.bytes[at..], width);
            self.nuls[index] = nul.map_or(usize::MAX, |nul| at + nul);
        }
        Some(self.nuls[index]).filter(|&nul| nul != usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(u8, &[u8])] = &[
        (1, b"hello\0"),
        (1, b"hello\0world\0"),
        (1, b"x\0"),
        (1, b"%d\0"),
        (1, b"\0\x01\0"),
        (1, b"long one\0"),
        (2, b"u\0v\0w\0\0\0"),
        (4, b"w\0\0\0i\0\0\0\0\0\0\0"),
        (4, b"\0\x01\0\0\0\0\0\0"),
    ];

    /// Offset, length and width of each literal that is found, with statics at the offsets `covered`.
    fn check_with(covered: &[Range<u64>], empty: bool, bytes: &[u8], expected: &[(u64, u64, u64)]) {
        let mut known = KnownLiterals::default();
        KNOWN.iter().for_each(|&(width, bytes)| known.add(width, bytes));
        if empty {
            known.add(1, b"\0");
        }
        let covered: Vec<_> = covered.iter().map(|c| c.start + 0x1000..c.end + 0x1000).collect();
        let found = literals_among_constants(0x1000, bytes, &covered, &known);
        let found: Vec<_> = found.iter().map(|l| (l.svma.0 - 0x1000, l.length, l.width)).collect();
        assert_eq!(found, expected, "{bytes:?}");
    }

    fn check(bytes: &[u8], expected: &[(u64, u64, u64)]) {
        check_with(&[], false, bytes, expected);
    }

    #[test]
    fn literals_follow_each_other() {
        check(b"hello\0x\0%d\0", &[(0, 6, 1), (6, 2, 1), (8, 3, 1)]);
        check(b"x\0\0\0\0\0\0\0long one\0", &[(0, 2, 1), (8, 9, 1)]);
        check(b"x\0\0\0w\0\0\0i\0\0\0\0\0\0\0x\0", &[(0, 2, 1), (4, 3, 4), (16, 2, 1)]);
        check(b"x\0u\0v\0w\0\0\0x\0", &[(0, 2, 1), (2, 4, 2), (10, 2, 1)]);
    }

    #[test]
    fn the_longest_wins() {
        check(b"hello\0world\0x\0", &[(0, 12, 1), (12, 2, 1)]);
        check(b"hello\0worse\0", &[(0, 6, 1)]);
        check(b"\0\x01\0\0\0\0\0\0", &[(0, 2, 4)]);
    }

    #[test]
    fn none_begins_with_a_nul() {
        check(b"\0\x01\0x\0", &[]);
    }

    #[test]
    fn only_long_ones_are_found_behind_unknown_constants() {
        check(b"\x43\xf1\xff\xfflong one\0x\0", &[(4, 9, 1), (13, 2, 1)]);
        check(b"\x43\xf1\xff\xffx\0\0\0%d\0", &[]);
        // 2.0, and a table of the numbers 120 and 119, 105.
        check(b"\0\0\0\0\0\0\0\x40x\0\0\0w\0\0\0i\0\0\0\0\0\0\0", &[]);
        check(b"xyhello\0", &[]);
        check(b"long one", &[]);
    }

    #[test]
    fn an_empty_literal_of_the_source_may_stand_before_a_short_one() {
        check(b"x\0\0x\0", &[(0, 2, 1)]);
        check_with(&[], true, b"x\0\0x\0", &[(0, 2, 1), (3, 2, 1)]);
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init)] // one static
    fn statics_are_no_literals_and_literals_follow_them() {
        check_with(&[0..5], false, b"\x01\x02\x03\x04\x05x\0", &[(5, 2, 1)]);
        check_with(&[2..8], false, b"x\0hello\0%d\0", &[(0, 2, 1), (8, 3, 1)]);
        check_with(&[3..20], false, b"hello\0", &[]);
        check_with(&[0..2, 2..4, 6..99], false, b"x\0x\0x\0x\0", &[(4, 2, 1)]);
    }
}
