//! The `un` word of a type: kind and bit-fields as `struct uniqtype` has them.

use allocs_metadata::{Kind, UNBOUNDED_LENGTH};

use crate::graph::{CompositeKind, Type};

/// Largest number of members that 20 bits count.
pub(super) const MOST_MEMBERS: usize = (1 << 20) - 1;
/// Largest number of parameters that 10 bits count.
pub(super) const MOST_PARAMETERS: usize = (1 << 10) - 1;
/// Largest number of enumerators that 26 bits count.
pub(super) const MOST_ENUMERATORS: usize = (1 << 26) - 1;

/// A base type: how far its bit size is below that of its bytes, as a power of two and a rest, and its first bit.
pub(super) fn base(encoding: u8, size: u32, bit_size: u32, bit_offset: u32) -> u32 {
    let delta = (u64::from(size) * 8).saturating_sub(u64::from(bit_size));
    let (one_plus_log, rest) = match delta.checked_ilog2() {
        None => (0, 0),
        Some(log) => (log + 1, delta - (1 << log)),
    };
    let rest = rest.min(i8::MAX as u64) as u32;
    let bit_offset = bit_offset.min(0x1ff);
    Kind::Base as u32
        | (u32::from(encoding) & 0x3f) << 4
        | one_plus_log.min(15) << 10
        | rest << 14
        | bit_offset << 22
}

/// An enumeration: whether its values follow each other by one, or by doubling.
pub(super) fn enumeration(enumerators: &[(String, i64)]) -> u32 {
    let every_step = |is_step: fn(i64, i64) -> bool| {
        enumerators.len() > 1 && enumerators.windows(2).all(|pair| is_step(pair[0].1, pair[1].1))
    };
    let is_contiguous = every_step(|a, b| a.checked_add(1) == Some(b));
    let is_log_spaced = every_step(|a, b| a > 0 && a.checked_mul(2) == Some(b));
    Kind::Enumeration as u32
        | u32::from(is_contiguous) << 4
        | u32::from(is_log_spaced) << 5
        | (enumerators.len().min(MOST_ENUMERATORS) as u32) << 6
}

/// A composite. Members of a union are not there simultaneously.
pub(super) fn composite(kind: CompositeKind, members: usize) -> u32 {
    let not_simultaneous = matches!(kind, CompositeKind::Union | CompositeKind::SyntheticUnion);
    Kind::Composite as u32 | (members.min(MOST_MEMBERS) as u32) << 4 | u32::from(not_simultaneous) << 24
}

/// An array; a length that 31 bits do not hold counts as unbounded.
pub(super) fn array(length: Option<u64>) -> u32 {
    let length = length.and_then(|n| u32::try_from(n).ok()).unwrap_or(UNBOUNDED_LENGTH).min(UNBOUNDED_LENGTH);
    Kind::Array as u32 | length << 1
}

/// A pointer of this many levels; a pointer to `void` is generic.
pub(super) fn address(levels: u32, ultimate: &Type) -> u32 {
    let is_generic = matches!(ultimate, Type::Void) && levels == 1;
    Kind::Address as u32 | levels.min(31) << 4 | u32::from(is_generic) << 9
}

/// A function; `void` counts as a returned type.
pub(super) fn subprogram(parameters: usize, variadic: bool) -> u32 {
    let returned = 1;
    Kind::Subprogram as u32
        | (parameters.min(MOST_PARAMETERS) as u32) << 4
        | returned << 14
        | u32::from(variadic) << 24
}

/// A subrange; bounds are cut to 14 bits.
pub(super) fn subrange(min: i64, max: i64) -> u32 {
    let bound = |n: i64| n.clamp(0, 0x3fff) as u32;
    Kind::Subrange as u32 | bound(min) << 4 | bound(max) << 18
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The macros of the header, in Rust.
    fn bit_size(word: u32, size: u32) -> u32 {
        let one_plus_log = word >> 10 & 15;
        let rest = (word << 10).cast_signed() >> 24;
        let power = if one_plus_log == 0 { 0 } else { 1 << (one_plus_log - 1) };
        8 * size - (power + rest) as u32
    }

    #[test]
    fn every_bit_field_of_every_integer_reads_back() {
        for size in [1, 2, 4, 8, 16] {
            for bits in 1..=8 * size {
                for offset in 0..=8 * size - bits {
                    let word = base(5, size, bits, offset);
                    assert_eq!(bit_size(word, size), bits, "{bits} of {size}");
                    assert_eq!(word.cast_signed() >> 22, offset.cast_signed());
                    assert_eq!(word & 15, 2);
                }
            }
        }
    }

    #[test]
    fn words_match_the_header() {
        assert_eq!(array(Some(4)), 9);
        assert_eq!(array(None), u32::MAX);
        assert_eq!(array(Some(1 << 40)), u32::MAX);
        assert_eq!(composite(CompositeKind::Struct, 3), 6 | 3 << 4);
        assert_eq!(composite(CompositeKind::Union, 3), 6 | 3 << 4 | 1 << 24);
        assert_eq!(address(2, &Type::Void), 8 | 2 << 4);
        assert_eq!(address(1, &Type::Void), 8 | 1 << 4 | 1 << 9);
        assert_eq!(subprogram(2, true), 10 | 2 << 4 | 1 << 14 | 1 << 24);
        let values = |v: &[i64]| v.iter().map(|&n| (String::new(), n)).collect::<Vec<_>>();
        assert_eq!(enumeration(&values(&[0, 1, 2])), 4 | 1 << 4 | 3 << 6);
        assert_eq!(enumeration(&values(&[1, 2, 4])), 4 | 1 << 5 | 3 << 6);
    }
}
