//! The one place that casts bytes to records and back.
//!
//! # Safety
//! A type may implement [`Pod`] when (1) it is `repr(C)` or `repr(transparent)`, (2) it has no padding, and (3) every bit pattern is a valid
//! value of it. Then a slice of bytes of the right length and alignment *is* a slice of it. The layout is that of a
//! little-endian machine with 8-byte alignment, which x86-64 is.
#![allow(unsafe_code)]

use crate::layout::{
    AllocaRecord, ConditionRecord, FrameRecord, Header, HookRecord, HopRecord, RelatedRecord, SiteRecord,
    SlotRecord, StaticRecord, StepRecord, TypeRecord, VlaRecord, WrapperRecord,
};

#[cfg(not(target_endian = "little"))]
compile_error!("the metadata format is little-endian");

/// A record that any bytes of its size make up.
///
/// # Safety
/// See the module: `repr(C)`, no padding, every bit pattern valid.
pub unsafe trait Pod: Copy + 'static {}

// SAFETY: repr(C), integers and arrays of integers only, sizes pinned in `layout` equal the sums of the fields.
unsafe impl Pod for Header {}
// SAFETY: an integer.
unsafe impl Pod for u64 {}
// SAFETY: as for Header.
unsafe impl Pod for TypeRecord {}
// SAFETY: as above.
unsafe impl Pod for RelatedRecord {}
// SAFETY: as above.
unsafe impl Pod for StaticRecord {}
// SAFETY: as above.
unsafe impl Pod for FrameRecord {}
// SAFETY: as above.
unsafe impl Pod for SlotRecord {}
// SAFETY: as above.
unsafe impl Pod for VlaRecord {}
// SAFETY: as above.
unsafe impl Pod for AllocaRecord {}
// SAFETY: as above.
unsafe impl Pod for SiteRecord {}
// SAFETY: as above.
unsafe impl Pod for StepRecord {}
// SAFETY: as above.
unsafe impl Pod for HopRecord {}
// SAFETY: as above.
unsafe impl Pod for WrapperRecord {}
// SAFETY: as above.
unsafe impl Pod for ConditionRecord {}
// SAFETY: as above.
unsafe impl Pod for HookRecord {}

/// The first `count` records in `bytes`, or `None` if they are too few or not aligned.
#[must_use]
pub fn slice<T: Pod>(bytes: &[u8], count: usize) -> Option<&[T]> {
    let size = count.checked_mul(size_of::<T>())?;
    if size > bytes.len() || !bytes.as_ptr().cast::<T>().is_aligned() {
        return None;
    }
    // SAFETY: `size` bytes are there, aligned for T, borrowed for the result's lifetime; T is Pod.
    Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), count) })
}

/// The bytes of records.
#[must_use]
pub fn bytes<T: Pod>(records: &[T]) -> &[u8] {
    // SAFETY: T is Pod: no padding, so all its bytes are initialised; u8 has no alignment.
    unsafe { core::slice::from_raw_parts(records.as_ptr().cast::<u8>(), size_of_val(records)) }
}
