//! Types of stack frames, made of the layout at an instruction when they are first asked for.

use allocs_metadata::digest::{Digester, Tag};
use allocs_metadata::{FrameLayout, Kind, TYPE_IS_FRAME};

use super::intern::{block_of, intern, known, text};
use super::uniqtype::{Shape, TypeRef};
use super::{TypedFile, make};

/// Largest number of members that a composite's word holds.
const MOST_MEMBERS: usize = (1 << 20) - 1;

/// The type of a frame: a composite of its variables, the lowest at offset 0.
#[must_use]
pub fn frame(file: &'static TypedFile, layout: FrameLayout<'static>) -> Option<TypeRef> {
    // Metadata stays mapped, so that where it lies tells its frames from those of any other file.
    let place = file.frames().as_ptr() as u64;
    let digest = Digester::new(Tag::Frame).word(place).word(layout.start).word(layout.end).finish();
    if let Some(ty) = known(digest) {
        return Some(ty);
    }
    let count = layout.variables().take(MOST_MEMBERS).count() as u32;
    let word = Kind::Composite as u32 | count << 4;
    let shape = Shape { digest, size: layout.below_cfa, word, flags: TYPE_IS_FRAME, related_count: count };
    let ty = block_of(&shape)?;
    let (mut start, mut end) = ([0; 16], [0; 16]);
    ty.set_name(make::join(&[
        file.string(layout.name),
        b"_vaddrs_0x",
        hexadecimal(layout.start, &mut start),
        b"_0x",
        hexadecimal(layout.end, &mut end),
    ])?);
    for (index, variable) in layout.variables().take(count as usize).enumerate() {
        let child = intern(file, variable.ty).or_else(make::void);
        ty.set_member_name(index, text(file, variable.name));
        ty.set_related(index, child, u64::from(layout.offset(variable)));
    }
    ty.set_complete();
    Some(ty)
}

/// The hexadecimal digits of a number.
fn hexadecimal(mut n: u64, buffer: &mut [u8; 16]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b"0123456789abcdef"[(n & 15) as usize];
        n >>= 4;
        if n == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_leading_zeros() {
        for (n, digits) in [(0, "0"), (0x10, "10"), (0xdead_beef, "deadbeef"), (u64::MAX, "ffffffffffffffff")]
        {
            assert_eq!(hexadecimal(n, &mut [0; 16]), digits.as_bytes());
        }
    }
}
