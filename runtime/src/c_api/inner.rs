//! The subobjects of a typed allocation.

use allocs_metadata::Kind;

use crate::types::TypeRef;
use crate::types::uniqtype::WORD_NOT_SIMULTANEOUS;

/// Deepest nesting of subobjects that is followed.
const MAX_DEPTH: usize = 64;

/// The type of the innermost subobject that spans the byte at `offset` of an object, or of the subobject `skip` levels
/// further out. `None` beyond the outermost.
#[must_use]
pub fn inner_type(outermost: TypeRef, mut offset: usize, skip: usize) -> Option<TypeRef> {
    let mut path = [outermost; MAX_DEPTH];
    let mut depth = 0;
    while let Some((ty, at)) = subobject(path[depth], offset) {
        if depth + 1 == MAX_DEPTH {
            break;
        }
        depth += 1;
        path[depth] = ty;
        offset -= at;
    }
    path.get(depth.checked_sub(skip)?).copied()
}

/// The direct subobject that spans the byte at `offset`, and where it starts. A union has none, since we cannot know which
/// of its members is there.
#[must_use]
pub fn subobject(ty: TypeRef, offset: usize) -> Option<(TypeRef, usize)> {
    match ty.kind() {
        Kind::Array => {
            let element = ty.related(0)?;
            let size = element.size().filter(|&size| size > 0)?;
            let index = offset / size;
            let exists = ty.array_length().is_none_or(|length| index < length as usize);
            exists.then_some((element, index * size))
        }
        Kind::Composite if ty.word() & WORD_NOT_SIMULTANEOUS == 0 => {
            (0..ty.related_count()).find_map(|index| {
                let member = ty.member(index)?;
                let inside = offset.checked_sub(member.offset)?;
                (spans(member.ty, inside)).then_some((member.ty, member.offset))
            })
        }
        _ => None,
    }
}

/// Whether an object spans a byte. A bit-field spans the bytes that have bits of it.
fn spans(ty: TypeRef, byte: usize) -> bool {
    if ty.size().is_some_and(|size| byte >= size) {
        return false;
    }
    if ty.kind() != Kind::Base || ty.word() >> 10 == 0 {
        return true;
    }
    let (first, len) = bits_of(ty);
    let (from, to) = (8 * byte, 8 * byte + 8);
    first < to && from < first + len
}

/// First bit and number of bits of a bit-field in its storage unit.
#[must_use]
pub fn bits_of(ty: TypeRef) -> (usize, usize) {
    let word = ty.word();
    let all = 8 * ty.size().unwrap_or(0);
    let power = word >> 10 & 15;
    let delta = if power > 0 { 1i64 << (power - 1) } else { 0 };
    let delta_delta = i64::from((word >> 14 & 0xff) as u8 as i8);
    let len = all as i64 - (delta + delta_delta);
    let offset = (word as i32) >> 22;
    let first = if offset < 0 { all as i64 + i64::from(offset) } else { i64::from(offset) };
    (first.max(0) as usize, len.max(0) as usize)
}
