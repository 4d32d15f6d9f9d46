//! The subobjects of a typed allocation.

use core::ops::ControlFlow;

use allocs_metadata::Kind;

use crate::types::TypeRef;
use crate::types::uniqtype::{Bits, WORD_NOT_SIMULTANEOUS};

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

/// Calls `f` with each direct subobject in the first `len` bytes of an object, by offset: its type, offset and length.
pub fn each_subobject<B>(
    ty: TypeRef,
    len: usize,
    f: &mut impl FnMut(TypeRef, usize, usize) -> ControlFlow<B>,
) -> ControlFlow<B> {
    match ty.kind() {
        Kind::Array => {
            let Some((element, size)) = ty.related(0).and_then(|e| Some((e, e.size().filter(|&n| n > 0)?)))
            else {
                return ControlFlow::Continue(());
            };
            let count = ty.array_length().map_or(usize::MAX, |n| n as usize).min(len / size);
            (0..count).try_for_each(|index| f(element, index * size, size))
        }
        Kind::Composite => (0..ty.related_count()).try_for_each(|index| match ty.member(index) {
            Some(member) => {
                let rest = len.saturating_sub(member.offset);
                f(member.ty, member.offset, member.ty.size().unwrap_or(rest).min(rest))
            }
            None => ControlFlow::Continue(()),
        }),
        _ => ControlFlow::Continue(()),
    }
}

/// Whether an object spans a byte. A bit-field spans the bytes that have bits of it.
fn spans(ty: TypeRef, byte: usize) -> bool {
    if ty.size().is_some_and(|size| byte >= size) {
        return false;
    }
    if ty.kind() != Kind::Base {
        return true;
    }
    let bits = Bits::of(ty.word(), ty.size().unwrap_or(0) as u32);
    let (first, end) = (bits.first as usize, (bits.first + bits.len) as usize);
    first < 8 * byte + 8 && 8 * byte < end
}
