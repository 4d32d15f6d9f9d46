//! Types made at run time: from other types, or known without any file.
//!
//! Their digests are those that a file would state, so a type is the same whether a file or we came first.

use allocs_metadata::c_names::flipped;
pub use allocs_metadata::c_names::{
    ATE_BOOLEAN, ATE_FLOAT, ATE_SIGNED, ATE_SIGNED_CHAR, ATE_UNSIGNED, ATE_UNSIGNED_CHAR,
};
use allocs_metadata::digest::{self, Digest, Digester, Tag};
use allocs_metadata::{
    Kind, MEMBER_MAY_BE_INVALID, TYPE_IS_SYNTHETIC, TYPE_IS_UNION, TYPE_MAKES_PRECISE, UNBOUNDED_LENGTH,
    UNBOUNDED_SIZE,
};
use core::ffi::CStr;

use super::intern::{block_of, known};
use super::precise;
use super::uniqtype::{Shape, TypeRef, WORD_NOT_SIMULTANEOUS};
use crate::private_heap;

/// Most types in a list that a client passes.
pub const MAX_LIST: usize = 64;

/// What a slot gets: a type, and offset and flags of a member.
type Slot = (Option<TypeRef>, u64);

fn make(shape: Shape, name: &[&[u8]], slots: &[Slot]) -> Option<TypeRef> {
    make_with(shape, name, slots, |_| {})
}

fn make_with(shape: Shape, name: &[&[u8]], slots: &[Slot], finish: impl Fn(TypeRef)) -> Option<TypeRef> {
    if let Some(ty) = known(shape.digest) {
        return Some(ty);
    }
    let ty = block_of(&shape)?;
    ty.set_name(join(name)?);
    for (index, &(slot, bits)) in slots.iter().enumerate() {
        ty.set_related(index, slot, bits);
    }
    if shape.flags & TYPE_MAKES_PRECISE != 0 {
        ty.set_make_precise(precise::callback());
    }
    finish(ty);
    ty.set_complete();
    Some(ty)
}

/// `void`.
#[must_use]
pub fn void() -> Option<TypeRef> {
    make(Shape { digest: digest::void(), size: 0, word: 0, flags: 0, related_count: 0 }, &[b"void"], &[])
}

/// A base type of whole bytes.
#[must_use]
pub fn base(encoding: u8, size: u32) -> Option<TypeRef> {
    let ty = base_block(encoding, size)?;
    if !ty.is_complete() {
        if let Some(other) = flipped(encoding).and_then(|flipped| base_block(flipped, size)) {
            ty.set_related(0, Some(other), 0);
            other.set_related(0, Some(ty), 0);
            other.set_complete();
        }
        ty.set_complete();
    }
    Some(ty)
}

/// Makes the base type of the same size and the other signedness, for one that is just being filled in.
pub(super) fn pair_with_other_signedness(ty: TypeRef) -> Option<TypeRef> {
    let size = ty.size()? as u32;
    let encoding = (ty.word() >> 4 & 63) as u8;
    // A bit-field has no counterpart.
    if ty.word() >> 10 != 0 {
        return None;
    }
    let other = base_block(flipped(encoding)?, size)?;
    ty.set_related(0, Some(other), 0);
    other.set_related(0, Some(ty), 0);
    other.set_complete();
    Some(other)
}

fn base_block(encoding: u8, size: u32) -> Option<TypeRef> {
    let word = Kind::Base as u32 | u32::from(encoding) << 4;
    let bits = size.checked_mul(8)?;
    let digest = digest::base(encoding, size, bits, 0);
    let ty = block_of(&Shape { digest, size, word, flags: 0, related_count: 1 })?;
    let stem: &[u8] = match encoding {
        ATE_BOOLEAN => b"boolean",
        ATE_FLOAT => b"float",
        ATE_SIGNED => b"int",
        ATE_SIGNED_CHAR => b"signed_char",
        ATE_UNSIGNED => b"uint",
        ATE_UNSIGNED_CHAR => b"unsigned_char",
        _ => return None,
    };
    if ty.name().is_empty() {
        ty.set_name(join(&[stem, b"$", decimal(u64::from(bits), &mut [0; 20])])?);
    }
    Some(ty)
}

/// Plain `char`.
#[must_use]
pub fn char() -> Option<TypeRef> {
    base(ATE_SIGNED_CHAR, 1)
}

/// A pointer.
#[must_use]
pub fn pointer(pointee: TypeRef) -> Option<TypeRef> {
    let (ultimate, levels) = match pointee.kind() {
        Kind::Address => (pointee.related(1), (pointee.word() >> 4 & 31) + 1),
        _ => (Some(pointee), 1),
    };
    let is_generic = pointee.kind() == Kind::Void;
    let word = Kind::Address as u32 | levels.min(31) << 4 | u32::from(is_generic) << 9;
    let digest = digest::pointer(pointee.digest());
    let shape = Shape { digest, size: 8, word, flags: 0, related_count: 2 };
    make(shape, &[b"__PTR_", pointee.name().to_bytes()], &[(Some(pointee), 0), (ultimate, 0)])
}

/// An array; `None` is the unbounded one, `Some(0)` the precise empty one.
#[must_use]
pub fn array(element: TypeRef, length: Option<u32>) -> Option<TypeRef> {
    let length = length.filter(|&n| n < UNBOUNDED_LENGTH);
    let digest = digest::array(element.digest(), length);
    if let Some(ty) = known(digest) {
        return Some(ty);
    }
    let size =
        length.zip(element.size()).and_then(|(n, size)| u32::try_from(u64::from(n) * size as u64).ok());
    let flags = if length.is_none() { TYPE_MAKES_PRECISE } else { 0 };
    let word = Kind::Array as u32 | length.unwrap_or(UNBOUNDED_LENGTH) << 1;
    let mut digits = [0; 20];
    let count = match length {
        None => &b"0"[..],
        Some(0) => b"Z",
        Some(n) => decimal(u64::from(n), &mut digits),
    };
    let shape = Shape { digest, size: size.unwrap_or(UNBOUNDED_SIZE), word, flags, related_count: 1 };
    make(shape, &[b"__ARR", count, b"_", element.name().to_bytes()], &[(Some(element), 0)])
}

/// A function without `...`.
#[must_use]
pub fn function(result: TypeRef, parameters: &[TypeRef]) -> Option<TypeRef> {
    let count = parameters.len();
    if count > MAX_LIST {
        return None;
    }
    let digest = digest::function(result.digest(), parameters.iter().map(|p| p.digest()), false);
    let word = Kind::Subprogram as u32 | (count as u32) << 4 | 1 << 14;
    let shape = Shape { digest, size: 0, word, flags: 0, related_count: count as u32 + 1 };
    let mut digits = [[0; 20]; MAX_LIST];
    let mut name: [&[u8]; 4 * MAX_LIST + 3] = [b""; 4 * MAX_LIST + 3];
    let mut slots: [Slot; MAX_LIST + 1] = [(None, 0); MAX_LIST + 1];
    slots[0] = (Some(result), 0);
    name[0] = b"__FUN_FROM_";
    for (index, (&parameter, digits)) in parameters.iter().zip(&mut digits).enumerate() {
        let part = [b"__ARG", decimal(index as u64, digits), b"_", parameter.name().to_bytes()];
        name[4 * index + 1..4 * index + 5].copy_from_slice(&part);
        slots[index + 1] = (Some(parameter), 0);
    }
    name[4 * count + 1] = b"__FUN_TO_";
    name[4 * count + 2] = result.name().to_bytes();
    make(shape, &name, &slots[..=count])
}

/// A union of types, in this order.
#[must_use]
pub fn union(members: &[TypeRef]) -> Option<TypeRef> {
    let count = members.len();
    if count > MAX_LIST {
        return None;
    }
    let start = Digester::new(Tag::Derived).word(u64::from(WORD_NOT_SIMULTANEOUS)).word(count as u64);
    let digest = members.iter().fold(start, |d, member| d.digest(member.digest())).finish();
    let largest = members.iter().try_fold(0, |size, member| Some(member.size()?.max(size)));
    let size = largest.and_then(|size| u32::try_from(size).ok()).unwrap_or(UNBOUNDED_SIZE);
    let word = Kind::Composite as u32 | (count as u32) << 4 | WORD_NOT_SIMULTANEOUS;
    let flags = TYPE_IS_UNION | TYPE_IS_SYNTHETIC;
    let mut name: [&[u8]; 2 * MAX_LIST + 1] = [b""; 2 * MAX_LIST + 1];
    let mut slots: [Slot; MAX_LIST] = [(None, 0); MAX_LIST];
    name[0] = b"__SYNTHUNION_";
    for (index, &member) in members.iter().enumerate() {
        name[2 * index + 1] = if index > 0 { b"_" } else { b"" };
        name[2 * index + 2] = member.name().to_bytes();
        slots[index] = (Some(member), MEMBER_MAY_BE_INVALID);
    }
    make(Shape { digest, size, word, flags, related_count: count as u32 }, &name, &slots[..count])
}

/// A composite of which the last member, an unbounded array, is replaced by a precise one.
pub(super) fn with_precise_tail(whole: TypeRef, array: TypeRef) -> Option<TypeRef> {
    let count = whole.related_count();
    let last = count.checked_sub(1)?;
    let tail = whole.member(last)?;
    let digest: Digest = Digester::new(Tag::Derived).digest(whole.digest()).digest(array.digest()).finish();
    let size = array.size().and_then(|size| u32::try_from(tail.offset + size).ok());
    let stem = whole.name().to_bytes();
    let stem = stem.strip_suffix(tail.ty.name().to_bytes()).unwrap_or(stem);
    let shape = Shape {
        digest,
        size: size.unwrap_or(UNBOUNDED_SIZE),
        word: whole.word(),
        flags: whole.flags() & !TYPE_MAKES_PRECISE,
        related_count: count as u32,
    };
    make_with(shape, &[stem, array.name().to_bytes()], &[], |ty| {
        for index in 0..count {
            let member = whole.member(index).map(|member| member.ty);
            let member = if index == last { Some(array) } else { member };
            ty.set_related(index, member, whole.member_bits(index));
            ty.copy_member_name(index, whole);
        }
    })
}

/// Joins parts to a string that stays for ever.
pub(super) fn join(parts: &[&[u8]]) -> Option<&'static CStr> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = private_heap::alloc_bytes(len + 1)?;
    let mut at = 0;
    for part in parts {
        bytes.get_mut(at..at + part.len())?.copy_from_slice(part);
        at += part.len();
    }
    CStr::from_bytes_until_nul(bytes).ok()
}

/// The digits of a number.
pub(crate) fn decimal(mut n: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &buffer[at..];
        }
    }
}
