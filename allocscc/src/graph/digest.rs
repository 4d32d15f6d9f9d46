//! The identity of a type: 128 bits that depend on its structure and names alone.
//!
//! The hash is SipHash-2-4 with 128 bits of output and an all-zero key, over the bytes that [`Encoder`] documents. It
//! is part of the file format: a change here is a change of [`allocs_metadata::VERSION`].

use super::{CompositeKind, Naming, Type};

/// A 128-bit digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Digest(pub [u64; 2]);

/// Collects the bytes that a digest is made of: integers little-endian in 8 bytes, strings with their length in front.
#[derive(Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Starts anew; what is encoded first says which kind of thing it is.
    pub(crate) fn start(&mut self, what: u8) -> &mut Self {
        self.bytes.clear();
        self.bytes.push(what);
        self
    }

    pub(crate) fn number(&mut self, n: u64) -> &mut Self {
        self.bytes.extend_from_slice(&n.to_le_bytes());
        self
    }

    pub(crate) fn text(&mut self, s: &str) -> &mut Self {
        self.number(s.len() as u64);
        self.bytes.extend_from_slice(s.as_bytes());
        self
    }

    pub(crate) fn digest(&mut self, Digest([a, b]): Digest) -> &mut Self {
        self.number(a).number(b)
    }

    pub(crate) fn finish(&self) -> Digest {
        siphash128([0, 0], &self.bytes)
    }
}

/// Digest of what a type says itself, the types that it refers to left out (their number is in).
pub(crate) fn label(encoder: &mut Encoder, ty: &Type) -> Digest {
    match ty {
        Type::Void => {
            encoder.start(b'v');
        }
        Type::Base { encoding, size, bit_size, bit_offset, spelling: _ } => {
            encoder.start(b'b').number(u64::from(*encoding)).number(u64::from(*size));
            encoder.number(u64::from(*bit_size)).number(u64::from(*bit_offset));
        }
        Type::Enumeration { naming, base: _, enumerators, incomplete } => {
            naming_of(encoder.start(b'e'), naming).number(u64::from(*incomplete));
            encoder.number(enumerators.len() as u64);
            for (name, value) in enumerators {
                encoder.text(name).number(*value as u64);
            }
        }
        Type::Composite { kind, naming, size, members, incomplete } => {
            naming_of(encoder.start(b'c').number(kind_number(*kind)), naming).number(u64::from(*incomplete));
            optional(encoder, *size).number(members.len() as u64);
            for member in members {
                encoder.text(&member.name).number(member.offset).number(u64::from(member.may_be_invalid));
            }
        }
        Type::Array { element: _, length, precise_empty } => {
            optional(encoder.start(b'a'), *length).number(u64::from(*precise_empty));
        }
        Type::Pointer(_) => {
            encoder.start(b'p');
        }
        Type::Function { result: _, parameters, variadic } => {
            encoder.start(b'f').number(parameters.len() as u64).number(u64::from(*variadic));
        }
        Type::Subrange { host: _, min, max } => {
            encoder.start(b's').number(*min as u64).number(*max as u64);
        }
    }
    encoder.finish()
}

/// `class` counts as `struct`: a declaration may say one and the definition the other.
fn kind_number(kind: CompositeKind) -> u64 {
    match kind {
        CompositeKind::Struct | CompositeKind::Class => 0,
        CompositeKind::Union => 1,
        CompositeKind::Frame => 2,
        CompositeKind::Synthetic => 3,
        CompositeKind::SyntheticUnion => 4,
    }
}

fn naming_of<'e>(encoder: &'e mut Encoder, naming: &Naming) -> &'e mut Encoder {
    match naming {
        Naming::Tag(name) => encoder.number(0).text(name),
        Naming::Typedef(name) => encoder.number(1).text(name),
        Naming::Place { file, line, ordinal } => {
            encoder.number(2).text(file).number(*line).number(u64::from(*ordinal))
        }
        Naming::Made(name) => encoder.number(3).text(name),
    }
}

fn optional(encoder: &mut Encoder, n: Option<u64>) -> &mut Encoder {
    encoder.number(u64::from(n.is_some())).number(n.unwrap_or(0))
}

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein).
fn siphash128(key: [u64; 2], bytes: &[u8]) -> Digest {
    let mut state = State([
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ]);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state.absorb(u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len() as u8;
    state.absorb(u64::from_le_bytes(last));
    Digest([state.squeeze(2, 0xee), state.squeeze(1, 0xdd)])
}

struct State([u64; 4]);

impl State {
    fn round(&mut self) {
        let [a, b, c, d] = &mut self.0;
        *a = a.wrapping_add(*b);
        *c = c.wrapping_add(*d);
        *b = b.rotate_left(13) ^ *a;
        *d = d.rotate_left(16) ^ *c;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*b);
        *a = a.wrapping_add(*d);
        *b = b.rotate_left(17) ^ *c;
        *d = d.rotate_left(21) ^ *a;
        *c = c.rotate_left(32);
    }

    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    fn squeeze(&mut self, lane: usize, constant: u64) -> u64 {
        self.0[lane] ^= constant;
        for _ in 0..4 {
            self.round();
        }
        self.0.iter().fold(0, |x, lane| x ^ lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first vectors of the reference implementation: key 00…0f, messages "", 00, 00 01, …
    #[test]
    fn the_hash_is_the_published_one() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let hash = |n: u8| {
            let Digest([a, b]) = siphash128(key, &(0..n).collect::<Vec<u8>>());
            [a.to_le_bytes(), b.to_le_bytes()].concat()
        };
        assert_eq!(hash(0), 0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128.to_be_bytes());
        assert_eq!(hash(1), 0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45_u128.to_be_bytes());
    }
}
