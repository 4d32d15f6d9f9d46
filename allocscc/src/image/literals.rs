//! String literals: where the link editor put the contents of `.rodata.strW.A` sections.
//!
//! Compilers emit literals into sections of that name (W the width of a character in bytes, A the alignment; for those of gcc
//! without optimisation see [`super::unmerged`]), and name them by labels that do not outlive the assembler. The link editor merges equal ones and tails. Its map says what range each input section got; the range holds
//! NUL-terminated strings, with padding where A is larger than W. A literal that is the tail of another answers as
//! the longer one.

use std::ops::Range;

use super::calls::Svma;

/// A string literal in the linked file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Literal {
    /// Its first character.
    pub svma: Svma,
    /// Number of characters, the NUL counted.
    pub length: u64,
    /// Bytes a character.
    pub width: u64,
}

/// A range of the linked file that holds merged strings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StringRange {
    /// Addresses.
    pub svmas: Range<u64>,
    /// Bytes a character.
    pub width: u64,
    /// Alignment of each string in bytes.
    pub align: u64,
}

/// The ranges of the linked file in which literals may be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LiteralRanges {
    /// Input sections of strings.
    pub strings: Vec<StringRange>,
    /// Input sections called `.rodata`, which hold literals among other constants ([`super::unmerged`]).
    pub constants: Vec<Range<u64>>,
}

/// The ranges that a link map (as written by GNU ld's `-Map`) gives. Lines that it does not understand are skipped: a map of
/// another link editor gives no ranges.
#[must_use]
pub fn ranges_of_map(map: &str) -> LiteralRanges {
    let mut ranges = LiteralRanges::default();
    let mut lines = map.lines().peekable();
    while let Some(line) = lines.next() {
        // Output sections are not indented.
        let Some(input) = line.strip_prefix(' ').filter(|input| input.starts_with(".rodata")) else {
            continue;
        };
        let mut words = input.split_whitespace();
        let name = words.next().unwrap_or_default();
        let strings = string_section(name);
        if strings.is_none() && name != ".rodata" {
            continue;
        }
        // A long section name stands alone, with the numbers on the next line.
        let mut numbers: Vec<&str> = words.collect();
        if numbers.is_empty() {
            numbers = lines.peek().map(|next| next.split_whitespace().collect()).unwrap_or_default();
        }
        let [start, size, ..] = numbers[..] else { continue };
        let (Some(start), Some(size)) = (hexadecimal(start), hexadecimal(size)) else { continue };
        let Some(end) = start.checked_add(size).filter(|_| start != 0 && size != 0) else { continue };
        match strings {
            Some((width, align)) => ranges.strings.push(StringRange { svmas: start..end, width, align }),
            None => ranges.constants.push(start..end),
        }
    }
    ranges
}

/// The strings of a range. `bytes` is what the file holds there.
#[must_use]
pub fn literals_in(range: &StringRange, bytes: &[u8]) -> Vec<Literal> {
    let mut literals = Vec::new();
    let mut start = range.svmas.start;
    let mut length = 0;
    for character in bytes.chunks_exact(range.width as usize) {
        length += 1;
        if character.iter().any(|&b| b != 0) {
            continue;
        }
        let padding = length == 1 && !start.is_multiple_of(range.align);
        if !padding {
            literals.push(Literal { svma: Svma(start), length, width: range.width });
        }
        start += length * range.width;
        length = 0;
    }
    literals
}

/// Width and alignment of `.rodata.str1.8`.
fn string_section(name: &str) -> Option<(u64, u64)> {
    let numbers = name.strip_prefix(".rodata.").and_then(|n| {
        // With -fdata-sections a function's name stands before `.strW.A`.
        n.strip_prefix("str").or_else(|| n.rsplit_once(".str").map(|(_, numbers)| numbers))
    })?;
    let (width, align) = numbers.split_once('.')?;
    let (width, align) = (width.parse().ok()?, align.parse().ok()?);
    (matches!(width, 1 | 2 | 4) && (1..=4096).contains(&align)).then_some((width, align))
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "
.rodata         0x0000000000002000       0x88
 *(.rodata .rodata.* .gnu.linkonce.r.*)
 .rodata.cst4   0x0000000000002000        0x4 crt1.o
 .rodata.str1.1
                0x0000000000002004        0xc a.o
                                         0x14 (size before relaxing)
 .rodata.str4.4 0x0000000000002010       0x14 a.o
 .rodata.main.str1.8
                0x0000000000002028       0x10 a.o
 *fill*         0x0000000000002038        0x8 
 .rodata        0x0000000000002040       0x20 b.o
                0x0000000000002040                table
 .rodata.table2 0x0000000000002060       0x28 b.o
 .rodata        0x0000000000002088        0x0 c.o
 .rodata        0x0000000000002088        0x8 d.o
 .rodata.str1.1
                0x0000000000000000        0x9 discarded.o
 .rodata        0x0000000000000000        0x9 discarded.o
";

    #[test]
    fn the_map_gives_the_ranges() {
        let ranges = ranges_of_map(MAP);
        let found: Vec<_> =
            ranges.strings.iter().map(|r| (r.svmas.start, r.svmas.end, r.width, r.align)).collect();
        assert_eq!(found, [(0x2004, 0x2010, 1, 1), (0x2010, 0x2024, 4, 4), (0x2028, 0x2038, 1, 8)]);
        assert_eq!(ranges.constants, [0x2040..0x2060, 0x2088..0x2090]);
    }

    fn check(width: u64, align: u64, bytes: &[u8], expected: &[(u64, u64)]) {
        let range = StringRange { svmas: 0x1000..0x1000 + bytes.len() as u64, width, align };
        let found: Vec<_> =
            literals_in(&range, bytes).into_iter().map(|l| (l.svma.0 - 0x1000, l.length)).collect();
        assert_eq!(found, expected, "{bytes:?}");
    }

    #[test]
    fn a_range_is_cut_at_its_nuls() {
        check(1, 1, b"hello\0xbeta\0", &[(0, 6), (6, 6)]);
        check(1, 1, b"\0a\0", &[(0, 1), (1, 2)]);
        check(1, 8, b"long\0\0\0\0next\0", &[(0, 5), (8, 5)]);
        check(4, 4, b"w\0\0\0i\0\0\0\0\0\0\0", &[(0, 3)]);
        check(1, 1, b"cut off", &[]);
    }
}
