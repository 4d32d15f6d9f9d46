//! The digests of types: one definition for the tool that writes them and for the run-time library, which makes types too.
//!
//! A type that is built from others ([`pointer()`], [`array()`], [`function`], …) has a digest that depends on theirs alone. So
//! the run-time library can compute the digest of "array of 42 of these", and the result is the type of that digest in
//! any file. Composites and enumerations are digested by the tool, from a [`Digester`] of what it finds.

/// Identifies a type in the whole world.
pub type Digest = [u64; 2];

/// What a digest is of, so that digests of different kinds of things never meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Tag {
    /// `void`.
    Void = 1,
    /// A base type.
    Base = 2,
    /// A pointer.
    Pointer = 3,
    /// An array.
    Array = 4,
    /// A function.
    Function = 5,
    /// A subrange.
    Subrange = 6,
    /// An enumeration.
    Enumeration = 7,
    /// A struct, union, class or synthetic composite.
    Composite = 8,
    /// A union that the run-time library made, or a composite that it made precise.
    Derived = 9,
    /// A stack frame's layout, which the run-time library makes.
    Frame = 10,
    /// What a function allocates for its callers.
    Wrapper = 11,
}

/// Hashes words to 128 bits: two multiply-and-rotate lanes with a strong finish. It has no secret; who writes
/// metadata can make types collide, but only types of the same process, whose code is theirs already.
#[derive(Clone, Copy, Debug)]
pub struct Digester {
    lanes: [u64; 2],
    words: u64,
}

const K0: u64 = 0x87c3_7b91_1142_53d5;
const K1: u64 = 0x4cf5_ad43_2745_937f;

impl Digester {
    /// A digest of a thing of this kind.
    #[must_use]
    pub const fn new(tag: Tag) -> Digester {
        Digester { lanes: [tag as u64, !(tag as u64)], words: 0 }.word(tag as u64)
    }

    /// With one more word.
    #[must_use]
    pub const fn word(self, word: u64) -> Digester {
        let [mut a, mut b] = self.lanes;
        a ^= word.wrapping_mul(K0).rotate_left(31).wrapping_mul(K1);
        a = a.rotate_left(27).wrapping_add(b).wrapping_mul(5).wrapping_add(0x52dc_e729);
        b ^= word.wrapping_mul(K1).rotate_left(33).wrapping_mul(K0);
        b = b.rotate_left(31).wrapping_add(a).wrapping_mul(5).wrapping_add(0x3849_5ab5);
        Digester { lanes: [a, b], words: self.words + 1 }
    }

    /// With another digest.
    #[must_use]
    pub const fn digest(self, digest: Digest) -> Digester {
        self.word(digest[0]).word(digest[1])
    }

    /// With a string; its length is part of it.
    #[must_use]
    pub const fn bytes(mut self, bytes: &[u8]) -> Digester {
        self = self.word(bytes.len() as u64);
        let mut i = 0;
        while i < bytes.len() {
            let mut word = 0;
            let mut shift = 0;
            while shift < 64 && i < bytes.len() {
                word |= (bytes[i] as u64) << shift;
                shift += 8;
                i += 1;
            }
            self = self.word(word);
        }
        self
    }

    /// The digest.
    #[must_use]
    pub const fn finish(self) -> Digest {
        let [mut a, mut b] = self.lanes;
        a ^= self.words;
        b ^= self.words;
        a = a.wrapping_add(b);
        b = b.wrapping_add(a);
        a = mix(a);
        b = mix(b);
        a = a.wrapping_add(b);
        b = b.wrapping_add(a);
        [a, b]
    }
}

const fn mix(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

/// `void`.
#[must_use]
pub const fn void() -> Digest {
    Digester::new(Tag::Void).finish()
}

/// A base type: its `DW_ATE_…` encoding, size in bytes, size in bits and first bit (`8 * size` and 0 unless it is a bit-field).
#[must_use]
pub const fn base(encoding: u8, size: u32, bit_size: u32, bit_offset: u32) -> Digest {
    Digester::new(Tag::Base)
        .word(encoding as u64)
        .word(size as u64)
        .word(bit_size as u64)
        .word(bit_offset as u64)
        .finish()
}

/// A pointer or reference.
#[must_use]
pub const fn pointer(pointee: Digest) -> Digest {
    Digester::new(Tag::Pointer).digest(pointee).finish()
}

/// An array; `None` is the one unbounded array of the element, `Some(0)` the precise empty one.
#[must_use]
pub const fn array(element: Digest, length: Option<u32>) -> Digest {
    let word = match length {
        Some(n) => n as u64,
        None => u64::MAX,
    };
    Digester::new(Tag::Array).digest(element).word(word).finish()
}

/// A function: what it returns (`void` included), the types of its parameters, whether it ends in `...`.
#[must_use]
pub fn function(result: Digest, parameters: impl IntoIterator<Item = Digest>, variadic: bool) -> Digest {
    let start = Digester::new(Tag::Function).word(u64::from(variadic)).digest(result);
    parameters.into_iter().fold(start, Digester::digest).finish()
}

/// A subrange.
#[must_use]
pub const fn subrange(host: Digest, min: i64, max: i64) -> Digest {
    Digester::new(Tag::Subrange).digest(host).word(min as u64).word(max as u64).finish()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constructors_do_not_meet() {
        let int = base(5, 4, 32, 0);
        let all = [
            void(),
            int,
            base(7, 4, 32, 0),
            base(5, 4, 5, 3),
            pointer(int),
            pointer(pointer(int)),
            array(int, None),
            array(int, Some(0)),
            array(int, Some(4)),
            array(array(int, Some(4)), Some(4)),
            function(int, [int], false),
            function(int, [int], true),
            function(int, [int, int], false),
            function(int, [], false),
            subrange(int, 0, 4),
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    proptest! {
        #[test]
        fn different_strings_differ(a: Vec<u8>, b: Vec<u8>) {
            let of = |s: &[u8]| Digester::new(Tag::Composite).bytes(s).finish();
            prop_assert_eq!(of(&a) == of(&b), a == b);
        }
    }
}
